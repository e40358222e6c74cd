// The steps of a walkthrough that is open.
import type { WindowBase } from './windowBase.ts';

export interface Step {
  readonly title: string;
  readonly isDone: boolean;
}

export async function steps(window: WindowBase): Promise<Step[]> {
  const all = await window.page.locator('.getting-started-step').all();
  return Promise.all(
    all.map(async (step) => {
      const [title, done] = await Promise.all([
        step.locator('.step-title').innerText({ timeout: 2_000 }),
        step.locator('.codicon.complete').count(),
      ]);
      return { title: title.trim(), isDone: done > 0 };
    }),
  );
}

/** Whether the picture of the chosen step is there; it comes in a page of its own. */
export async function hasPicture(window: WindowBase): Promise<boolean> {
  const counts = await Promise.all(
    window.page.frames().map((frame) =>
      frame
        .locator('svg[viewBox="0 0 480 320"]')
        .count()
        .catch(() => 0),
    ),
  );
  return counts.some((count) => count > 0);
}
