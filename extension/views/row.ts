// A row of a view: plain data, made of the state. treeProvider.ts shows it. What is long or many is
// made only when somebody looks at it.

import type { SharedFileLocation } from '../remoteFiles/fileUri.ts';

/** What a row is about: the argument of the commands in its menu. */
export interface Subject {
  readonly group?: string;
  readonly user?: string;
  readonly file?: string;
  /** What the names of the files in a folder begin with, the slash included. */
  readonly folder?: string;
  readonly transfer?: number;
  /** Where its file lies on this machine, when it is whole. */
  readonly path?: string;
  /** Of which level of a tree more is wanted. */
  readonly level?: string;
}

/** A product icon by its name, or the icon that the person's theme has for a file of this name. */
export type Icon = { readonly theme: string; readonly color?: string } | { readonly file: string };

/**
 * The path under which VS Code looks for the icon of a file. It throws at one that begins with two
 * slashes.
 */
export const iconPath = (file: string): string => `/${file.replace(/^\/+/, '')}`;

/**
 * Rows that are made when they are first asked for: those of a row that nobody opens cost nothing.
 */
export class LazyRows {
  readonly #create: () => readonly Row[];
  #cached: readonly Row[] | undefined;

  constructor(make: () => readonly Row[]) {
    this.#create = make;
  }

  get rows(): readonly Row[] {
    return (this.#cached ??= this.#create());
  }
  get isCreated(): boolean {
    return this.#cached !== undefined;
  }
}

/** Lines that are made when they are shown. Equal `facts` are equal lines. */
export interface LazyLines {
  readonly facts: string;
  readonly lines: () => readonly string[];
}

export interface Row {
  /** Stable: never made of what changes, so that selection and expansion stay. */
  readonly id: string;
  readonly label: string;
  /** Parts of the label that stand out: from, to. */
  readonly highlights?: readonly (readonly [number, number])[];
  readonly description: string;
  /** Lines of plain text; the first is the headline. */
  readonly tooltip: readonly string[] | LazyLines;
  readonly icon: Icon;
  /** Words that menus ask for, as in `viewItem =~ /\bpartial\b/`. */
  readonly context: string;
  readonly subject: Subject;
  /** What can be opened of it before it is downloaded. */
  readonly shared?: { readonly place: SharedFileLocation; readonly sizeBytes: number };
  /**
   * What a click does, by the name behind `shoal.`: a command that takes the row from what is
   * selected.
   */
  readonly command?: string;
  /** Undefined for a leaf. */
  readonly children?: readonly Row[] | LazyRows;
  readonly isCollapsed?: boolean;
  /** What a screen reader says instead of label and description. */
  readonly spoken: string;
}

/** What a view says above its rows. */
export interface Head {
  readonly description?: string;
  /** One plain sentence. */
  readonly message?: string;
}

/** The rows below a row; made, where they were not yet. */
export const childrenOf = ({ children }: Row): readonly Row[] =>
  children instanceof LazyRows ? children.rows : (children ?? []);

export const linesOf = ({ tooltip }: Row): readonly string[] => ('lines' in tooltip ? tooltip.lines() : tooltip);

/** Parts of a row's description; empty ones are left out. */
export const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' · ');
