/** The page's looks: light and dark by the reader's choice, fit for a phone and for paper. */
export const styleSheet = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #59636e; --rule: #d1d9e0;
  --one: #0550ae; --two: #bc4c00; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #9198a1;
  --rule: #3d444d; --one: #79c0ff; --two: #ffa657; --good: #56d364; --bad: #ff7b72; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; margin-bottom: 0; }
h2 { font-size: 1.15rem; margin-top: 2.5rem; }
.faint { color: var(--faint); margin-top: .25rem; }
.completed { color: var(--good); } .failed, .cancelled { color: var(--bad); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: 1rem; }
dt { color: var(--faint); font-size: .85rem; } dd { margin: 0; font-size: 1.2rem; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } svg text { fill: var(--faint); font-size: 12px; }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
polyline.one { stroke: var(--one); } polyline.two { stroke: var(--two); stroke-dasharray: 5 3; }
.grid { stroke: var(--rule); stroke-width: .7; }
.mark { stroke: var(--faint); stroke-width: 3; stroke-opacity: .35; }
.key { font-weight: 400; font-size: .85rem; margin-left: 1rem; }
.key.one { color: var(--one); } .key.two { color: var(--two); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0;
  border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; }
td:first-child { white-space: nowrap; }
th { color: var(--faint); font-weight: 600; white-space: nowrap; }
@media print { body { margin: 0; max-width: none; } figure, tr { break-inside: avoid; } }
`;
