// What package.json declares for VS Code, against what the window does: settings, walkthrough,
// account, trust.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { doneSteps } from '../../extension/contributions/contextKeys.ts';
import { INITIAL_STATE } from '../../extension/state/state.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');

interface Setting {
  readonly type: string;
  readonly scope: string;
  readonly order: number;
  readonly markdownDescription: string;
  readonly enum?: readonly string[];
  readonly enumDescriptions?: readonly string[];
}

const manifest = JSON.parse(read('package.json')) as {
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly supported: string; readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly authentication: readonly { readonly id: string; readonly label: string }[];
    readonly configuration: readonly {
      readonly title: string;
      readonly order: number;
      readonly properties: Readonly<Record<string, Setting>>;
    }[];
    readonly walkthroughs: readonly {
      readonly id: string;
      readonly steps: readonly {
        readonly id: string;
        readonly completionEvents: readonly string[];
        readonly media: { readonly svg: string; readonly altText: string };
      }[];
    }[];
  };
};
const { authentication, configuration, walkthroughs } = manifest.contributes;
const words = JSON.parse(read('package.nls.json')) as Readonly<Record<string, string>>;
const settings = Object.assign({}, ...configuration.map(({ properties }) => properties)) as Readonly<
  Record<string, Setting>
>;

describe('what VS Code is told of Shoal', () => {
  it('has its settings in groups, each in an order, none twice', () => {
    assert.deepEqual(
      configuration.map(({ order }) => order),
      configuration.map((_, i) => i + 1),
    );
    for (const { title, properties } of configuration) {
      assert.deepEqual(
        Object.values(properties).map(({ order }) => order),
        Object.keys(properties).map((_, i) => i + 1),
        title,
      );
    }
    assert.equal(
      Object.keys(settings).length,
      configuration.reduce((sum, { properties }) => sum + Object.keys(properties).length, 0),
    );
  });

  it('says of each choice of a setting what it means', () => {
    for (const [name, { enum: choices = [], enumDescriptions = [] }] of Object.entries(settings)) {
      assert.equal(enumDescriptions.length, choices.length, name);
    }
  });

  it('reads no setting from a workspace that could lead a person elsewhere, trusted or not', () => {
    for (const [name, { scope }] of Object.entries(settings)) {
      assert.ok(scope === 'machine' || scope === 'application', name);
    }
    const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    assert.equal(supported, 'limited');
    assert.deepEqual(
      restrictedConfigurations.filter((name) => !(name in settings)),
      [],
    );
  });

  it('has the account that the window provides', () => {
    assert.deepEqual(authentication, [{ id: 'shoal', label: 'Shoal' }]);
    assert.match(read('extension/contributions/authenticationProvider.ts'), /^const ID = 'shoal';$/m);
  });

  describe('as its walkthrough', () => {
    const [walkthrough] = walkthroughs;

    it('has five steps, and is opened by the first welcome text', () => {
      assert.deepEqual(
        walkthrough?.steps.map(({ id }) => id),
        ['signIn', 'group', 'share', 'download', 'stay'],
      );
      assert.match(words['welcome.groups.noTracker'] ?? '', /\(command:shoal\.getStarted\)/);
      assert.ok(read('extension/contributions/walkthrough.ts').includes(`const ID = 'shoal.shoal#${walkthrough.id}';`));
    });

    it('ticks a step off by what has come true, not by what was clicked', () => {
      const keys = Object.keys(doneSteps(INITIAL_STATE));
      for (const { id, completionEvents } of walkthrough?.steps ?? []) {
        const contexts = completionEvents.flatMap((event) => /^onContext:(.+)$/.exec(event)?.slice(1) ?? []);
        assert.ok(contexts.length > 0 && contexts.every((key) => keys.includes(key)), id);
        const others = completionEvents.filter((event) => !event.startsWith('onContext:'));
        for (const event of others) {
          assert.ok((/^onSettingChanged:(.+)$/.exec(event)?.[1] as string) in settings, event);
        }
      }
    });

    it('has a picture for each step, which takes the colours of the theme and is described in words', () => {
      for (const {
        media: { svg, altText },
      } of walkthrough?.steps ?? []) {
        assert.ok(existsSync(path.join(ROOT, svg)), svg);
        const picture = read(svg);
        assert.doesNotMatch(picture.replace(/var\([^)]*\)/g, ''), /#[0-9a-f]{3}|rgb|script|href/i, svg);
        assert.ok((words[altText.replaceAll('%', '')] ?? '').length > 30, altText);
      }
    });
  });
});
