// The HTML of the swarm inspector as VS Code gets it. Strict: one script with a nonce, one style
// sheet, and nothing from anywhere else. What is shown comes by messages.
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { SKELETON } from '../webview/skeleton.ts';

/** Where script and style sheet of the page lie: all that it may read. */
export const pageFolder = (extension: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(extension, 'dist', 'webview');

export function inspectorHtml(webview: vscode.Webview, extension: vscode.Uri): string {
  const nonce = randomBytes(16).toString('base64');
  const [script, style] = ['inspector.js', 'inspector.css'].map((name) =>
    webview.asWebviewUri(vscode.Uri.joinPath(pageFolder(extension), name)).toString(),
  );
  const policy = [
    "default-src 'none'",
    `style-src ${webview.cspSource}`,
    `script-src 'nonce-${nonce}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="${style ?? ''}">
</head>
<body>
${SKELETON}
<script nonce="${nonce}" src="${script ?? ''}"></script>
</body>
</html>`;
}
