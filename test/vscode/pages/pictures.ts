// Which screenshots of the suites are pictures of README.md. `ADD_PICTURES=1 npm run test:vscode`
// takes them anew into docs/images; a test holds README and this list together.

/** The names of pictures in docs/images, by the screenshots they are. */
export const PICTURES: Readonly<Record<string, string>> = {
  '22-choose-tracker': 'account.png',
  '04-request': 'request.png',
  '06-share-menu': 'share.png',
  '86-go-to-file': 'find.png',
  '46-queue': 'downloading.png',
  '71-read-only': 'open-remote.png',
  '13-inspector': 'inspector.png',
  '82-files-light': 'files.png',
};
