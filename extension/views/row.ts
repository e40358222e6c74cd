// A row of a view: plain data, made of the state. rowTree.ts shows it.

/** What a row is about: the argument of the commands in its menu. */
export interface Subject {
  readonly group?: string;
  readonly user?: string;
  readonly file?: string;
  readonly transfer?: number;
  /** Where its file lies on this machine, when it is whole. */
  readonly path?: string;
}

/** A product icon by its name, or the icon that the person's theme has for a file of this name. */
export type Icon = { readonly theme: string; readonly color?: string } | { readonly file: string };

/** The path under which VS Code looks for the icon of a file. It throws at one that begins with two slashes. */
export const iconPath = (file: string): string => `/${file.replace(/^\/+/, '')}`;

export interface Row {
  /** Stable: never made of what changes, so that selection and expansion stay. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Lines of plain text; the first is the headline. */
  readonly tooltip: readonly string[];
  readonly icon: Icon;
  /** Words that menus ask for, as in `viewItem =~ /\bpartial\b/`. */
  readonly context: string;
  readonly subject: Subject;
  /** Undefined for a leaf. */
  readonly children?: readonly Row[];
  readonly isCollapsed?: boolean;
  /** What a screen reader says instead of label and description. */
  readonly spoken: string;
}
