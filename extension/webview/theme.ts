// The colours of VS Code as a canvas needs them: its style sheet's variables, read when they are
// drawn with, and who is told when they change.

export interface Palette {
  readonly isHighContrast: boolean;
  readonly foreground: string;
  readonly background: string;
  readonly quiet: string;
  readonly line: string;
  readonly focus: string;
  readonly held: string;
  readonly requested: string;
  readonly verifying: string;
  readonly nowhere: string;
  readonly down: string;
  readonly up: string;
  readonly font: string;
}

export function palette(): Palette {
  const style = getComputedStyle(document.body);
  const color = (...names: readonly string[]): string =>
    names.map((name) => style.getPropertyValue(`--vscode-${name}`).trim()).find((value) => value !== '') ?? style.color;
  return {
    isHighContrast: isHighContrast(),
    foreground: color('editor-foreground', 'foreground'),
    background: color('editor-background'),
    quiet: color('descriptionForeground', 'foreground'),
    line: color('contrastBorder', 'editorWidget-border', 'panel-border'),
    focus: color('focusBorder', 'contrastActiveBorder'),
    held: color('charts-green'),
    requested: color('charts-yellow'),
    verifying: color('charts-blue'),
    nowhere: color('charts-red', 'errorForeground'),
    down: color('charts-blue'),
    up: color('charts-purple'),
    font:
      `${style.getPropertyValue('--vscode-font-size').trim() || '13px'} ` +
      `${style.getPropertyValue('--vscode-font-family').trim() || 'sans-serif'}`,
  };
}

function isHighContrast(): boolean {
  return (
    document.body.classList.contains('vscode-high-contrast') ||
    document.body.classList.contains('vscode-high-contrast-light')
  );
}

/**
 * VS Code says by the class of the body and the style of the document that the theme is another.
 */
export function onThemeChange(run: () => void): void {
  const observer = new MutationObserver(run);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}

/** Makes a canvas so large, sharp on every screen, and gives what draws on it. */
export function prepare(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | undefined {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d') ?? undefined;
  context?.scale(scale, scale);
  return context;
}
