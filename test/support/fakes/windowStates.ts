// States of a window while an engine runs, and parts of them; and rows of its views as text. For
// tests of what follows from a state.
import type { Overview, Transfer } from '../../../protocol/messages/engineLink.ts';
import type { FileRow } from '../../../protocol/messages/trackerLink.ts';
import { INITIAL_STATE } from '../../../extension/state/state.ts';
import type { WindowState } from '../../../extension/state/state.ts';
import { childrenOf } from '../../../extension/views/row.ts';
import type { Row } from '../../../extension/views/row.ts';
import { aGroup, anOverview } from './fakeEngine.ts';

type Link = 'connecting' | 'up' | 'down' | 'refused';
/** Trackers that are so, the first that is up in use. */
export const trackers = (...links: readonly Link[]): Pick<Overview, 'trackers'> => ({
  trackers: links.map((link, i) => ({
    address: { host: 't', port: i },
    link,
    inUse: link === 'up' && links.indexOf('up') === i,
    error: undefined,
    pair: 'whole',
  })),
});
/** The engine runs, and a tracker has told of the groups. */
export const up = (fields: Partial<Overview> = {}): Partial<WindowState> => ({
  engine: 'up',
  overview: anOverview(fields),
  knowsGroups: true,
});

/** Somebody is signed in, and a tracker has told of the groups. */
export const state = (fields: Partial<WindowState> = {}): WindowState => ({
  ...INITIAL_STATE,
  engine: 'up',
  overview: anOverview(),
  knowsGroups: true,
  ...fields,
});

/** Numbered from 1. */
export const transfers = (...all: readonly Transfer[]): Pick<WindowState, 'transfers'> => ({
  transfers: new Map(all.map((one, i) => [i + 1, { ...one, id: i + 1 }])),
});

/** A group and its catalogue. */
export const filesOf = (...rows: readonly FileRow[]): Pick<WindowState, 'groups' | 'files'> => ({
  groups: [aGroup({ requests: [] })],
  files: new Map([[aGroup().group, { rows, isLoaded: true, error: undefined }]]),
});

/** A tree in lines: label, description, [what menus ask for]. */
export const lines = (rows: readonly Row[], depth = 0): readonly string[] =>
  rows.flatMap((row) => [
    `${'  '.repeat(depth)}${row.label} — ${row.description} [${row.context}]`,
    ...lines(childrenOf(row), depth + 1),
  ]);
