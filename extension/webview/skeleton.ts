// What the page of the swarm inspector is made of: its parts, without a word in them. inspector.ts
// fills them, into text nodes.

export const SKELETON = `<p id="nothing" role="status"></p>
<main id="all" hidden>
<h1 id="title"></h1>
<p id="about"></p>
<progress id="share" max="1" value="0" aria-labelledby="progress"></progress>
<p id="progress"></p>
<ul id="reasons"></ul>
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
<div id="said" role="status" aria-live="polite"></div>`;
