// The HTML of the swarm inspector: a skeleton without a word in it. What is shown comes by messages, into text nodes. Strict: one script with a nonce, one
// style sheet, and nothing from anywhere else.
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** Where script and style sheet of the page lie: all that it may read. */
export const pageFolder = (extension: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(extension, 'dist', 'webview');

export function pageHtml(webview: vscode.Webview, extension: vscode.Uri): string {
  const nonce = randomBytes(16).toString('base64');
  const [script, style] = ['inspector.js', 'inspector.css'].map((name) => webview.asWebviewUri(vscode.Uri.joinPath(pageFolder(extension), name)).toString());
  return `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="${style ?? ''}">
</head>
<body>
<p id="nothing" role="status"></p>
<main id="all" hidden>
<h1 id="title"></h1>
<p id="about"></p>
<progress id="share" max="1" value="0" aria-labelledby="progress"></progress>
<p id="progress"></p>
<ul id="whys"></ul>
<div id="actions"></div>
<section aria-labelledby="pieces-title">
<h2 id="pieces-title"></h2>
<div><canvas id="map" role="slider" tabindex="0"></canvas></div>
<p id="cell"></p>
<ul id="legend"></ul>
</section>
<section aria-labelledby="speed-title">
<h2 id="speed-title"></h2>
<div id="plot" role="img"></div>
<ul id="plot-keys"></ul>
</section>
<section aria-labelledby="peers-title">
<h2 id="peers-title"></h2>
<div class="scroll"><table id="peers" aria-labelledby="peers-title"><thead></thead><tbody></tbody></table></div>
<p id="no-peers"></p>
</section>
</main>
<div id="said" role="status" aria-live="polite"></div>
<script nonce="${nonce}" src="${script ?? ''}"></script>
</body>
</html>`;
}
