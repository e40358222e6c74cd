// The page of the swarm inspector: takes what the window shows, gives each part its own, and says
// what was pressed. Everything that people chose goes into text nodes alone.
import type { Action, FromPage, SavedPageState, Shown, PageText } from './messages.ts';
import { parseSavedState, toPage } from './messages.ts';
import { PeerTable } from './peerTable.ts';
import { PieceMap } from './pieceMap.ts';
import { RatePlot } from './ratePlot.ts';
import { onThemeChange } from './theme.ts';

/** VS Code's side of the page. */
interface Host {
  postMessage(message: FromPage): void;
  getState(): unknown;
  setState(state: SavedPageState): void;
}
declare function acquireVsCodeApi(): Host;

/** Least time between two things said to a screen reader by themselves, in ms. */
const ANNOUNCE_MS = 5_000;

const host = acquireVsCodeApi();
let saveState: SavedPageState = parseSavedState(host.getState()) ?? {
  transfer: 0,
  sortBy: undefined,
  isDescending: false,
};

const part = <T extends HTMLElement>(id: string, kind: new () => T): T => {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
};
const parts = {
  nothing: part('nothing', HTMLParagraphElement),
  all: part('all', HTMLElement),
  title: part('title', HTMLHeadingElement),
  about: part('about', HTMLParagraphElement),
  progress: part('progress', HTMLParagraphElement),
  share: part('share', HTMLProgressElement),
  reasons: part('reasons', HTMLUListElement),
  actions: part('actions', HTMLDivElement),
  plot: part('plot', HTMLDivElement),
  keys: part('plot-keys', HTMLUListElement),
  said: part('said', HTMLDivElement),
};
const map = new PieceMap(
  part('map', HTMLCanvasElement),
  part('legend', HTMLUListElement),
  part('cell', HTMLParagraphElement),
);
const table = new PeerTable(
  part('peers', HTMLTableElement),
  part('no-peers', HTMLParagraphElement),
  saveState,
  (sorting) => {
    saveState = { ...saveState, ...sorting };
    host.setState(saveState);
  },
);
const plot = new RatePlot(parts.plot);

window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  const message = toPage(data);
  switch (message?.is) {
    case 'words':
      saveState = { ...saveState, transfer: message.transfer };
      host.setState(saveState);
      return setPageText(message.words);
    case 'show':
      return show(message.shown);
    case 'rates':
      return plot.show(message.rates);
    case 'nothing':
      return showNothing(message.text);
    case undefined: // not from our window, or of another version of it
  }
});
onThemeChange(() => {
  map.draw();
  plot.draw();
});
host.postMessage({ is: 'ready' });

function setPageText(pageText: PageText): void {
  document.documentElement.lang = pageText.language;
  for (const [id, text] of [
    ['pieces-title', pageText.pieces],
    ['peers-title', pageText.peers],
    ['speed-title', pageText.speed],
  ] as const) {
    part(id, HTMLHeadingElement).textContent = text;
  }
  map.setPageText(pageText);
  table.setPageText(pageText);
  plot.setPageText(pageText);
}

function show({ title, about, progress, share, reasons, actions, map: pieces, peers, rates }: Shown): void {
  parts.nothing.hidden = true;
  parts.all.hidden = false;
  setText(parts.title, title);
  setText(parts.about, about);
  setText(parts.progress, progress);
  parts.share.value = share;
  setItems(parts.reasons, reasons);
  showActions(actions);
  map.show(pieces);
  table.show(peers);
  setItems(parts.keys, rates);
  parts.plot.setAttribute('aria-label', rates.join(', '));
  announce([progress, ...reasons.slice(0, 1)].join('. '));
}

function showNothing(text: string): void {
  parts.all.hidden = true;
  parts.nothing.hidden = false;
  setText(parts.nothing, text);
}

/** The buttons stay while they are the same: the one that has the focus keeps it. */
function showActions(actions: readonly { readonly action: Action; readonly label: string }[]): void {
  const shown = [...parts.actions.children].map((button) => (button as HTMLElement).dataset['action']);
  if (shown.join() === actions.map(({ action }) => action).join()) return;
  const hadFocus = parts.actions.contains(document.activeElement);
  parts.actions.replaceChildren(
    ...actions.map(({ action, label }) => {
      const button = withText('button', label);
      button.type = 'button';
      button.dataset['action'] = action;
      button.addEventListener('click', () => host.postMessage({ is: 'act', action }));
      return button;
    }),
  );
  if (hadFocus) parts.actions.querySelector('button')?.focus();
}

let toAnnounce = '';
let isAnnouncing = false;
/** Now and then the latest, not everything. */
function announce(text: string): void {
  toAnnounce = text;
  if (isAnnouncing) return;
  isAnnouncing = true;
  setText(parts.said, toAnnounce);
  setTimeout(() => {
    isAnnouncing = false;
    if (parts.said.textContent !== toAnnounce) announce(toAnnounce);
  }, ANNOUNCE_MS);
}

function setItems(list: HTMLElement, texts: readonly string[]): void {
  if (list.children.length !== texts.length) return list.replaceChildren(...texts.map((text) => withText('li', text)));
  for (const [at, text] of texts.entries()) setText(list.children[at] as HTMLElement, text);
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function withText<K extends 'li' | 'button'>(tag: K, text: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
