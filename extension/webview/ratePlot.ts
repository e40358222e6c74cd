// The plot of the last minutes: down and up, drawn by uPlot in the theme's colours. Made anew when
// the theme changes, because uPlot takes its colours when it is made.
import './localeShim.ts';
import uPlot from 'uplot';
import { formatRate } from '../../protocol/frontend/format.ts';
import type { Rates, PageText } from './messages.ts';
import { palette } from './theme.ts';

const HEIGHT_PX = 170;
/** Rate up to which the axis goes when nothing moves, so that a line at 0 lies at the bottom. */
const TOP_BYTES_PER_S_MIN = 64 * 1024;
/** Time that the axis shows at least, in s. */
const SPAN_S_MIN = 60;

export class RatePlot {
  readonly #box: HTMLElement;
  #pageText: PageText | undefined;
  #rates: Rates = { ageS: [], down: [], up: [] };
  #plot: uPlot | undefined;

  constructor(box: HTMLElement) {
    this.#box = box;
    new ResizeObserver(() => this.#plot?.setSize({ width: this.#width, height: HEIGHT_PX })).observe(box);
  }

  setPageText(pageText: PageText): void {
    this.#pageText = pageText;
    this.draw();
  }

  show(rates: Rates): void {
    this.#rates = rates;
    if (this.#plot) this.#plot.setData(this.#data);
    else this.draw();
  }

  /** Makes it anew, in the colours of now. */
  draw(): void {
    const pageText = this.#pageText;
    if (!pageText) return;
    this.#plot?.destroy();
    const colors = palette();
    const axis = {
      stroke: colors.quiet,
      font: colors.font,
      grid: { stroke: colors.line, width: colors.isHighContrast ? 0.4 : 1 },
      ticks: { show: false },
    };
    this.#plot = new uPlot(
      {
        width: this.#width,
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { drag: { setScale: false }, points: { show: !colors.isHighContrast } },
        scales: {
          x: { time: false, range: (_, least) => [Math.min(least, -SPAN_S_MIN), 0] },
          y: { range: (_, __, most) => [0, Math.max(TOP_BYTES_PER_S_MIN, most * 1.1)] },
        },
        series: [
          {},
          { label: pageText.down, stroke: colors.down, width: 2, points: { show: false } },
          { label: pageText.up, stroke: colors.up, width: 2, dash: [6, 4], points: { show: false } },
        ],
        axes: [
          { ...axis, values: (_, ages) => ages.map(ageText), incrs: [10, 20, 30, 60], space: 70, size: 30 },
          {
            ...axis,
            values: (_, rates) => rates.map((bytesPerS) => formatRate(bytesPerS)),
            incrs: BINARY_STEPS,
            size: 90,
          },
        ],
      },
      this.#data,
      this.#box,
    );
  }

  get #width(): number {
    return Math.max(200, this.#box.clientWidth);
  }

  get #data(): uPlot.AlignedData {
    const { ageS, down, up } = this.#rates;
    return [[...ageS], [...down], [...up]];
  }
}

/** `−40 s`, `−2 min`, `−2:30`. */
function ageText(ageS: number): string {
  const s = Math.round(-ageS);
  if (s < 60) return s === 0 ? '0' : `−${s} s`;
  return s % 60 === 0 ? `−${s / 60} min` : `−${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

/** Steps of the axis of rates that read well in binary units: 1, 2, 5 … 500 of each. */
const BINARY_STEPS = [1, 1024, 1024 ** 2, 1024 ** 3].flatMap((unit) =>
  [1, 2, 5, 10, 20, 50, 100, 200, 500].map((step) => step * unit),
);
