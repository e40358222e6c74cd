// What the engine and its hash threads post to each other. No code.
import type { Shape } from './merkleTree.ts';

/**
 * What is posted to a worker. Content is shared memory, never copied; of small things only what is
 * needed (a view would bring all that lies behind it).
 */
export type Job =
  | { readonly do: 'hashFile'; readonly path: string; readonly pieceBytes: number }
  | { readonly do: 'sum'; readonly descriptor: number; readonly shape: Shape; readonly pace: SharedArrayBuffer }
  | { readonly do: 'tree'; readonly descriptor: number; readonly shape: Shape; readonly pace: SharedArrayBuffer }
  | {
      readonly do: 'store';
      readonly descriptor: number;
      readonly at: number;
      readonly leaves: number;
      readonly bytes: Uint8Array;
      readonly expected: Uint8Array;
    }
  | {
      readonly do: 'check';
      readonly descriptor: number;
      readonly shape: Shape;
      readonly pieceHashes: Uint8Array;
      readonly skip: Uint8Array;
    }
  | { readonly do: 'hash'; readonly leaves: number; readonly bytes: Uint8Array }
  | { readonly do: 'verify'; readonly leaves: number; readonly bytes: Uint8Array; readonly expected: Uint8Array };
export type JobMessage = { readonly id: number; readonly job: Job } | { readonly cancel: number };
export type JobAnswer =
  | { readonly id: number; readonly progress: number }
  | { readonly id: number; readonly value: unknown }
  | {
      readonly id: number;
      readonly error: {
        readonly code?: string;
        readonly fields?: Record<string, string | number>;
        readonly message: string;
      };
    };
