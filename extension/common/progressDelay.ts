// How long something may take before a person is shown that it is under way: showing what is over
// at once would only flicker.

/** In ms. */
const QUICK_MS = 700;

/** Whether it ends before anything has to be shown. @throws what it throws, if it does so early */
export async function isQuick(done: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, QUICK_MS, false);
  });
  try {
    return await Promise.race([done.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
