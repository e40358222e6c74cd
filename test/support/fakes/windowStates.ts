// Parts of a window's state, as it is while an engine runs. For tests of what follows from it.
import type { Overview } from '../../../protocol/messages/engineLink.ts';
import type { WindowState } from '../../../extension/state/state.ts';
import { anOverview } from './fakeEngine.ts';

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
