// The swarm inspectors of this window: one panel for each transfer, in front again when it is asked
// for again, back after a reload. An inspector looks at its swarm while it is seen; while it is
// not, it only takes down the rates. The page draws (extension/webview); viewModel.ts has the
// words.
import * as vscode from 'vscode';
import type { SwarmView } from '../../protocol/messages/swarmView.ts';
import { Throttler } from '../../protocol/async/throttler.ts';
import type { Clock } from '../../protocol/base/world.ts';
import { phaseOf } from '../state/state.ts';
import type { Store } from '../engineClient/store.ts';
import type { FromPage, ToPage } from '../webview/messages.ts';
import { fromPage, parseSavedState } from '../webview/messages.ts';
import { printableName, t } from '../common/l10n.ts';
import { pageText, viewModelOf } from './viewModel.ts';
import { pageFolder, inspectorHtml } from './html.ts';
import { RateHistory, SAMPLE_MS } from './rateHistory.ts';

const VIEW_TYPE = 'shoal.inspector';
/** Least time between two pictures of the same swarm, in ms. */
const SHOW_MS = 500;
/** How often what says how long ago something was says it anew, in ms. */
const AGE_MS = 10_000;

interface InspectorPanelsOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** The folder of the extension. */
  readonly extension: vscode.Uri;
}

export class InspectorPanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #options: InspectorPanelsOptions;
  readonly #open = new Map<number, InspectorPanel>();
  readonly #serializer: vscode.Disposable;

  constructor(options: InspectorPanelsOptions) {
    this.#options = options;
    this.#serializer = vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, this);
  }

  /** Shows the inspector of a transfer. */
  show(transfer: number): void {
    const open = this.#open.get(transfer);
    if (open) return open.panel.reveal();
    this.#adopt(vscode.window.createWebviewPanel(VIEW_TYPE, 'Shoal', vscode.ViewColumn.Active), transfer);
  }

  /** A window was reloaded, and had this panel. */
  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const transfer = parseSavedState(state)?.transfer;
    if (transfer === undefined || this.#open.has(transfer)) panel.dispose();
    else this.#adopt(panel, transfer);
    return Promise.resolve();
  }

  dispose(): void {
    this.#serializer.dispose();
    for (const inspector of [...this.#open.values()]) inspector.dispose();
  }

  #adopt(panel: vscode.WebviewPanel, transfer: number): void {
    const inspector = new InspectorPanel(panel, transfer, this.#options);
    this.#open.set(transfer, inspector);
    panel.onDidDispose(() => {
      this.#open.delete(transfer);
      inspector.dispose();
    });
  }
}

class InspectorPanel implements vscode.Disposable {
  readonly panel: vscode.WebviewPanel;
  readonly #transfer: number;
  readonly #options: InspectorPanelsOptions;
  readonly #history = new RateHistory();
  readonly #stop: (() => void)[];
  #unsubscribe: (() => void) | undefined;
  #swarm: SwarmView | undefined;
  /**
   * The page is there and has asked for what to show; it is gone while another tab lies before it.
   */
  #isReady = false;
  #shownMs = -Infinity;
  readonly #throttler: Throttler;

  constructor(panel: vscode.WebviewPanel, transfer: number, options: InspectorPanelsOptions) {
    const { store, clock, extension } = options;
    this.panel = panel;
    this.#transfer = transfer;
    this.#options = options;
    this.#throttler = new Throttler(clock, { restMs: SHOW_MS }, () => this.#show());
    const sampling = setInterval(() => this.#sample(), SAMPLE_MS);
    panel.webview.onDidReceiveMessage((message: unknown) => {
      const parsed = fromPage(message);
      if (parsed) this.#onMessage(parsed);
    });
    panel.onDidChangeViewState(() => this.#onVisibility());
    this.#stop = [
      store.onChange((state, before) => {
        if (
          state.transfers.get(transfer) !== before.transfers.get(transfer) ||
          state.overview !== before.overview ||
          phaseOf(state) !== phaseOf(before)
        ) {
          this.#showSoon();
        }
      }),
      () => clearInterval(sampling),
    ];
    panel.webview.options = { enableScripts: true, localResourceRoots: [pageFolder(extension)] };
    panel.webview.html = inspectorHtml(panel.webview, extension);
    this.#name();
    this.#onVisibility();
  }

  dispose(): void {
    this.#throttler.cancel();
    this.#unsubscribe?.();
    for (const stop of this.#stop.splice(0)) stop();
    this.panel.dispose();
  }

  #onVisibility(): void {
    if (!this.panel.visible) {
      this.#isReady = false; // its page ends
      this.#unsubscribe?.();
      this.#unsubscribe = undefined;
    } else {
      this.#unsubscribe ??= this.#options.store.swarms.subscribe(this.#transfer, (view) => {
        this.#swarm = view;
        this.#showSoon();
      });
    }
  }

  #onMessage(message: FromPage): void {
    if (message.is === 'ready') {
      this.#isReady = true;
      this.#send({ is: 'words', transfer: this.#transfer, words: pageText(vscode.env.language) });
      this.#throttler.runNow();
      this.#sendRates();
    } else {
      const transfer = this.#options.store.state.transfers.get(this.#transfer);
      // As if it had been chosen in the menu of its row.
      if (transfer) {
        void vscode.commands.executeCommand(`shoal.${message.action}`, {
          row: {
            subject: { group: transfer.groupName, file: transfer.name, transfer: transfer.id, path: transfer.path },
          },
        });
      }
    }
  }

  /** Shows what is new, at once after a rest. */
  #showSoon(): void {
    this.#name();
    if (this.#isReady) this.#throttler.request();
  }

  #name(): void {
    const name = this.#options.store.state.transfers.get(this.#transfer)?.name;
    if (name !== undefined && this.panel.title !== printableName(name)) this.panel.title = printableName(name);
  }

  #show(): void {
    const {
      store: { state },
      clock,
    } = this.#options;
    this.#shownMs = clock.monotonicMs();
    const transfer = state.transfers.get(this.#transfer);
    if (transfer && state.overview) {
      this.#send({
        is: 'show',
        shown: viewModelOf({
          transfer,
          overview: state.overview,
          swarm: this.#swarm,
          history: this.#history,
          nowMs: clock.now(),
        }),
      });
    } else {
      this.#send({
        is: 'nothing',
        text:
          phaseOf(state) === 'starting' ? t('Shoal is starting…') : t('This is no longer shared or downloaded here.'),
      });
    }
  }

  #sample(): void {
    const {
      store: { state },
      clock,
    } = this.#options;
    const transfer = state.transfers.get(this.#transfer);
    this.#history.add(clock.monotonicMs(), transfer?.downBytesPerS ?? 0, transfer?.upBytesPerS ?? 0);
    this.#sendRates();
    if (clock.monotonicMs() - this.#shownMs >= AGE_MS) this.#showSoon();
  }

  #sendRates(): void {
    if (this.#isReady) this.#send({ is: 'rates', rates: this.#history.rates(this.#options.clock.monotonicMs()) });
  }

  #send(message: ToPage): void {
    if (this.#isReady) void this.panel.webview.postMessage(message);
  }
}
