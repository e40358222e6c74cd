// Packages the extension of dummyMain.ts, so that the driver is proven without the product.
import { fileURLToPath } from 'node:url';
import { packExtension } from './packExtension.ts';

const COMMANDS = {
  ask: 'Ask for a Name',
  pick: 'Pick Something',
  steps: 'Ask in Steps',
  open: 'Ask for a File',
  notify: 'Show a Notification',
  progress: 'Show Progress',
  modal: 'Open a Dialog',
  row: 'Row Command',
  file: 'Dummy File',
};
const ICONS: Record<string, string> = { row: '$(star)', notify: '$(bell)' };

const MANIFEST = {
  name: 'dummy',
  displayName: 'Dummy',
  description: 'Something to drive',
  contributes: {
    viewsContainers: {
      activitybar: [
        { id: 'dummyBox', title: 'Dummy Box', icon: '$(rocket)' },
        { id: 'soloBox', title: 'Solo Box', icon: '$(heart)' },
      ],
    },
    views: {
      dummyBox: [
        { id: 'dummy.fruit', name: 'Fruit', icon: '$(rocket)' },
        { id: 'dummy.nothing', name: 'Nothing', icon: '$(rocket)' },
      ],
      soloBox: [{ id: 'dummy.lonely', name: 'Lonely', icon: '$(heart)' }],
    },
    viewsWelcome: [
      {
        view: 'dummy.nothing',
        contents: 'There is nothing here.\n[Ask Me](command:dummy.ask)\nSee [the help](command:dummy.pick).',
      },
    ],
    commands: Object.entries(COMMANDS).map(([name, title]) => ({
      command: `dummy.${name}`,
      title,
      category: 'Dummy',
      ...(ICONS[name] ? { icon: ICONS[name] } : {}),
    })),
    submenus: [{ id: 'dummy.more', label: 'More of This' }],
    menus: {
      'view/title': ['dummy.fruit', 'dummy.lonely'].flatMap((view) => [
        { command: 'dummy.notify', when: `view == ${view}`, group: 'navigation' },
        { command: 'dummy.pick', when: `view == ${view}` },
      ]),
      'view/item/context': [
        { command: 'dummy.row', when: 'view == dummy.fruit', group: 'inline' },
        { command: 'dummy.row', when: 'view == dummy.fruit' },
        { submenu: 'dummy.more', when: 'view == dummy.fruit' },
      ],
      'dummy.more': [{ command: 'dummy.modal' }],
      'explorer/context': [{ command: 'dummy.file' }],
    },
  },
};

/** Makes the package in a folder; resolves to its path. */
export function packDummy(folder: string): Promise<string> {
  return packExtension(folder, MANIFEST, fileURLToPath(new URL('./dummyMain.ts', import.meta.url)));
}
