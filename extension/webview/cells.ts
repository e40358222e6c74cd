// How a cell of the piece map looks: by colour, and in high contrast by its pattern too. The legend
// is drawn by the same hand.
import type { CellCounts } from './cellCounts.ts';
import type { Kind } from './messages.ts';
import type { Palette } from './theme.ts';

/** Peers that a missing piece is drawn stronger for. */
const PEERS_DRAWN_MAX = 4;

/**
 * Cells below this have no outline in high contrast, which would leave nothing to see inside it, in
 * px.
 */
const OUTLINED_PX_MIN = 8;

/** A cell that stands for several kinds is divided among them, in the order of the legend. */
export function drawCell(
  context: CanvasRenderingContext2D,
  palette: Palette,
  counts: CellCounts,
  x: number,
  y: number,
  size: number,
): void {
  let from = x;
  for (const kind of ['held', 'verifying', 'requested', 'missing', 'nowhere', 'unwanted'] as const) {
    if (counts[kind] === 0) continue;
    const width = (size * counts[kind]) / counts.size;
    drawPart(context, palette, kind, counts.peers, from, y, width, size);
    from += width;
  }
}

function drawPart(
  context: CanvasRenderingContext2D,
  palette: Palette,
  kind: Kind,
  peers: number,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  if (palette.isHighContrast) drawPattern(context, palette, kind, x, y, width, height);
  else drawColor(context, palette, kind, peers, x, y, width, height);
  context.restore();
}

function drawColor(
  context: CanvasRenderingContext2D,
  palette: Palette,
  kind: Kind,
  peers: number,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  const fill = (color: string, alpha = 1): void => {
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.fillRect(x, y, width, height);
    context.globalAlpha = 1;
  };
  switch (kind) {
    case 'held':
      return fill(palette.held);
    case 'verifying':
      return fill(palette.verifying);
    case 'requested':
      fill(palette.requested, 0.35);
      context.fillStyle = palette.requested;
      return context.fillRect(x, y + height / 2, width, height / 2); // half of it is on its way
    case 'missing':
      return fill(palette.foreground, 0.1 + 0.06 * Math.min(peers, PEERS_DRAWN_MAX));
    case 'nowhere':
      fill(palette.nowhere, 0.2);
      return cross(context, palette.nowhere, x, y, width, height);
    case 'unwanted':
      return fill(palette.foreground, 0.04);
  }
}

function drawPattern(
  context: CanvasRenderingContext2D,
  palette: Palette,
  kind: Kind,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  context.strokeStyle = palette.foreground;
  context.fillStyle = palette.foreground;
  context.lineWidth = 1;
  if (kind === 'held') return context.fillRect(x, y, width, height);
  const isSmall = height < OUTLINED_PX_MIN;
  if (kind === (isSmall ? 'missing' : 'unwanted')) {
    return context.fillRect(x + width / 2 - 0.5, y + height / 2 - 0.5, 1, 1);
  }
  if (!isSmall) context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  if (kind === 'requested') context.fillRect(x, y + height / 2, width, height / 2);
  if (kind === 'verifying') context.fillRect(x + width / 4, y + height / 4, width / 2, height / 2);
  if (kind === 'nowhere') cross(context, palette.foreground, x, y, width, height);
}

function cross(
  context: CanvasRenderingContext2D,
  color: string,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + width, y + height);
  context.moveTo(x + width, y);
  context.lineTo(x, y + height);
  context.stroke();
}
