// The map of pieces: a canvas that is walked over with the arrow keys like a slider, so that a
// screen reader says what each cell stands for, and a line below it that says the same to
// everybody. Draws what it was shown last; decides nothing.
import { countsOf } from './cellCounts.ts';
import { drawCell } from './cells.ts';
import type { ShownMap, PageText } from './messages.ts';
import { fill, KINDS } from './messages.ts';
import { palette, prepare } from './theme.ts';

/**
 * Sizes of a cell with the gap behind it, in px, the largest with which the map stays this high.
 */
const CELL_PX = [20, 16, 12, 9, 7, 5] as const;
const MAP_PX_MAX = 160;
const LEGEND_PX = 12;

export class PieceMap {
  readonly #canvas: HTMLCanvasElement;
  readonly #legend: HTMLElement;
  readonly #detail: HTMLElement;
  #pageText: PageText | undefined;
  #map: ShownMap | undefined;
  #cell = 0;
  #columns = 1;
  #cellPx: number = CELL_PX[0];

  constructor(canvas: HTMLCanvasElement, legend: HTMLElement, detail: HTMLElement) {
    this.#canvas = canvas;
    this.#legend = legend;
    this.#detail = detail;
    canvas.addEventListener('keydown', (event) => this.#walk(event));
    canvas.addEventListener('focus', () => this.draw());
    canvas.addEventListener('blur', () => this.draw());
    for (const kind of ['mousemove', 'mousedown'] as const) {
      canvas.addEventListener(kind, (event) => this.#point(event));
    }
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement ?? canvas);
  }

  setPageText(pageText: PageText): void {
    this.#pageText = pageText;
    this.#canvas.setAttribute('aria-label', pageText.pieces);
    this.#canvas.title = pageText.mapHelp;
  }

  show(map: ShownMap | undefined): void {
    this.#map = map;
    this.#cell = Math.max(0, Math.min(this.#cell, this.#count - 1));
    this.draw();
    this.#describe();
  }

  draw(): void {
    const map = this.#map;
    this.#canvas.hidden = map === undefined;
    if (!map) return this.#legend.replaceChildren();
    const width = Math.max(100, this.#canvas.parentElement?.clientWidth ?? 0);
    this.#cellPx =
      CELL_PX.find((px) => Math.ceil(this.#count / Math.floor(width / px)) * px <= MAP_PX_MAX) ??
      CELL_PX[CELL_PX.length - 1] ??
      5;
    this.#columns = Math.max(1, Math.floor(width / this.#cellPx));
    const context = prepare(
      this.#canvas,
      Math.min(this.#columns, this.#count) * this.#cellPx + 2,
      Math.ceil(this.#count / this.#columns) * this.#cellPx + 2,
    );
    if (!context) return;
    const colors = palette();
    for (let cell = 0; cell < this.#count; cell++) {
      drawCell(context, colors, countsOf(map, cell), ...this.#placeOf(cell), this.#cellPx - 1);
    }
    if (document.activeElement === this.#canvas) {
      const [x, y] = this.#placeOf(this.#cell);
      context.strokeStyle = colors.focus;
      context.lineWidth = 2;
      context.strokeRect(x - 0.5, y - 0.5, this.#cellPx, this.#cellPx);
    }
    this.#drawLegend(map);
  }

  get #count(): number {
    return this.#map?.cells.held.length ?? 0;
  }

  #placeOf(cell: number): readonly [x: number, y: number] {
    return [(cell % this.#columns) * this.#cellPx + 1, Math.floor(cell / this.#columns) * this.#cellPx + 1];
  }

  #drawLegend(map: ShownMap): void {
    const pageText = this.#pageText;
    if (!pageText) return;
    const colors = palette();
    this.#legend.replaceChildren(
      ...KINDS.filter((kind) => map.counts[kind] > 0).map((kind) => {
        const item = document.createElement('li');
        const swatch = document.createElement('canvas');
        swatch.setAttribute('aria-hidden', 'true');
        const context = prepare(swatch, LEGEND_PX, LEGEND_PX);
        const none = { held: 0, requested: 0, verifying: 0, missing: 0, nowhere: 0, unwanted: 0 };
        if (context) drawCell(context, colors, { ...none, [kind]: 1, size: 1, peers: 1 }, 0, 0, LEGEND_PX);
        const count = document.createElement('span');
        count.className = 'count';
        count.textContent = String(map.counts[kind]);
        item.dataset['kind'] = kind;
        item.append(swatch, pageText.kinds[kind], ' ', count);
        return item;
      }),
    );
  }

  #walk(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: this.#columns,
      ArrowUp: -this.#columns,
      PageDown: 10 * this.#columns,
      PageUp: -10 * this.#columns,
      Home: -this.#count,
      End: this.#count,
    };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#goTo(this.#cell + step);
  }

  #point(event: MouseEvent): void {
    const column = Math.floor(event.offsetX / this.#cellPx);
    const cell = Math.floor(event.offsetY / this.#cellPx) * this.#columns + column;
    if (column < this.#columns && cell < this.#count) this.#goTo(cell);
  }

  #goTo(cell: number): void {
    const to = Math.max(0, Math.min(this.#count - 1, cell));
    if (to === this.#cell) return;
    this.#cell = to;
    if (document.activeElement === this.#canvas) this.draw();
    this.#describe();
  }

  /** What the cell stands for, in words. */
  #describe(): void {
    const text =
      this.#map && this.#pageText ? cellText(this.#map, this.#pageText, this.#cell) : (this.#pageText?.noPieces ?? '');
    this.#detail.textContent = text;
    this.#canvas.setAttribute('aria-valuemin', '1');
    this.#canvas.setAttribute('aria-valuemax', String(this.#map?.pieces ?? 1));
    this.#canvas.setAttribute('aria-valuenow', String(this.#cell * (this.#map?.cellPieces ?? 1) + 1));
    this.#canvas.setAttribute('aria-valuetext', text);
  }
}

function cellText(map: ShownMap, pageText: PageText, cell: number): string {
  const counts = countsOf(map, cell);
  const first = cell * map.cellPieces + 1;
  const kinds = KINDS.filter((kind) => counts[kind] > 0);
  const who =
    counts.peers === 0
      ? pageText.nobodyHas
      : counts.peers === 1
        ? pageText.oneHas
        : fill(pageText.someHave, counts.peers);
  if (counts.size === 1) return fill(pageText.onePiece, first, kinds.map((kind) => pageText.kinds[kind]).join(), who);
  return fill(
    pageText.somePieces,
    first,
    first + counts.size - 1,
    kinds.map((kind) => `${counts[kind]} ${pageText.kinds[kind]}`).join(', '),
    fill(pageText.fewestHave, counts.peers),
  );
}
