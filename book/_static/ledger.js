// The ledger's search: words, document, chapter, kind and verdict, all in the page itself. Without a script every
// entry is simply there.

const FIELDS = { source: "document", chapter: "chapter", kind: "kind", verdict: "verdict" };

function startLedger() {
  const boxes = [...document.querySelectorAll("article .ck-claim")];
  if (!boxes.length) return;
  // Read before any formula is typeset, so that a search finds its source.
  const entries = boxes.map((box) => {
    const of = (field) => [...box.classList].find((c) => c.startsWith(`ck-${field}-`)).slice(field.length + 4);
    return {
      box, text: box.textContent.toLowerCase(),
      ...Object.fromEntries(Object.keys(FIELDS).map((field) => [field, of(field)])),
    };
  });
  const first = boxes[0].closest("section");
  const form = document.createElement("form");
  form.className = "ck-filter";
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", "the claims");
  form.innerHTML = `<label>words <input type="search" name="words" autocomplete="off"></label>`
    + Object.entries(FIELDS).map(([field, name]) => {
      const values = [...new Set(entries.map((entry) => entry[field]))];
      if (field === "chapter") values.sort();
      const options = values.map((value) => `<option>${value}</option>`).join("");
      return `<label>${name} <select name="${field}"><option value="">any</option>${options}</select></label>`;
    }).join("")
    + `<output aria-live="polite"></output><button type="reset">show all</button>`;
  first.before(form);

  const count = form.querySelector("output");
  function show() {
    const wanted = Object.fromEntries(new FormData(form));
    const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const entry of entries) {
      const fits = Object.keys(FIELDS).every((field) => !wanted[field] || entry[field] === wanted[field])
        && words.every((word) => entry.text.includes(word));
      entry.box.hidden = !fits;
      shown += fits;
    }
    for (const section of new Set(boxes.map((box) => box.closest("section")))) {
      section.hidden = !section.querySelector(".ck-claim:not([hidden])");
    }
    count.textContent = `${shown} of ${entries.length} claims`;
    const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
    history.replaceState(null, "", (query ? `?${query}` : location.pathname) + location.hash);
  }
  for (const [field, value] of new URLSearchParams(location.search)) {
    if (form.elements[field]) form.elements[field].value = value;
  }
  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
  // A link to an entry that a filter hides shows that entry.
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target?.hidden) form.reset();
}

startLedger();
