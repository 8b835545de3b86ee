/* Sorts, filters and unfolds the report's tables. Without it the page shows everything, in the report's own order. */
(() => {
"use strict";
const SHOWN = 100; /* rows of a long table before it is asked for all */
const words = new Intl.Collator("en", {numeric: true});
const count = new Intl.NumberFormat("en");

function keyOf(body, column) {
    const cell = body.rows[0].cells[column], key = cell.dataset.k;

    return key === undefined ? cell.textContent : Number(key);
}

function compare(a, b) {
    return typeof a === "number" && typeof b === "number" ? a - b : words.compare(String(a), String(b));
}

/* Each key is read once, each row moved once; `compared` says how many comparisons that took. */
function sort(table, column, descending) {
    const rows = Array.from(table.tBodies, (body, place) => ({body, place, key: keyOf(body, column)}));
    const sorted = document.createDocumentFragment();
    let compared = 0;

    rows.sort((a, b) => {
        const order = compare(a.key, b.key);

        compared++;
        return (descending ? -order : order) || a.place - b.place;
    });
    rows.forEach((row) => sorted.append(row.body));
    table.append(sorted);
    table.dataset.compared = compared;
}

/* Of the rows that the filter leaves the first ones, or all. */
function show(view) {
    const wanted = view.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;

    for (const body of view.table.tBodies) {
        const text = wanted.length ? body.textContent.toLowerCase() : "";
        const fits = wanted.every((word) => text.includes(word));

        left += fits;
        body.classList.toggle("out", !fits);
        body.classList.toggle("fold", fits && !view.all && left > SHOWN);
    }
    const shown = view.all ? left : Math.min(left, SHOWN), rows = view.table.tBodies.length;
    view.said.textContent = count.format(shown) + " of " + count.format(rows) + " shown" +
        (wanted.length ? ", filter: " + view.input.value : "");
    view.button.hidden = shown === left;
    view.button.textContent = "Show all " + count.format(left);
}

/* A span, not a button: browsers leave the text of a button out of the titles that they repeat on each printed page. */
function titles(table, after) {
    Array.from(table.tHead.rows[0].cells).forEach((cell, column) => {
        const title = document.createElement("span");
        const act = () => {
            const descending = cell.getAttribute("aria-sort") === "ascending";

            table.querySelectorAll(":scope > thead [aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
            cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
            sort(table, column, descending);
            after();
        };

        title.setAttribute("role", "button");
        title.tabIndex = 0;
        title.textContent = cell.textContent;
        title.title = "Sort by " + cell.textContent;
        cell.replaceChildren(title);
        title.addEventListener("click", act);
        title.addEventListener("keydown", (event) => {
            if (event.key !== "Enter" && event.key !== " ")
                return;
            event.preventDefault();
            act();
        });
    });
}

function prepare(table) {
    const tools = table.dataset.tools ? document.getElementById(table.dataset.tools) : null;
    const view = tools ? {table, all: false, input: tools.querySelector("input"), said: tools.querySelector("output"),
                          button: tools.querySelector("button")} : null;

    titles(table, () => view && show(view));
    if (!view)
        return;
    tools.hidden = false;
    view.input.addEventListener("input", () => show(view));
    view.button.addEventListener("click", () => { view.all = true; show(view); });
    show(view);
}

/* Paper has no fold: what was opened for it is closed again. */
function printing() {
    let opened = [];

    addEventListener("beforeprint", () => {
        opened = Array.from(document.querySelectorAll("details:not([open])"));
        opened.forEach((one) => { one.open = true; });
    });
    addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
}

document.querySelectorAll("table").forEach(prepare);
printing();
})();
