
"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const form = find("filters");
  const viewer = find("viewer");
  const stimuli = [...document.querySelectorAll("button.stimulus")];
  const sections = [...document.querySelectorAll("section.source")];
  let opened = null;

  const visible = () => stimuli.filter((button) => !button.parentElement.hidden);

  function filter() {
    const wanted = [...form.querySelectorAll("select")].filter((choice) => choice.value !== "");
    for (const section of sections) {
      let any = false;
      for (const item of section.querySelectorAll("li[data-source]")) {
        item.hidden = !wanted.every((choice) => item.dataset[choice.name].split(" ").includes(choice.value));
        any = any || !item.hidden;
      }
      section.hidden = !any;
    }
    const left = visible().length;
    const all = stimuli.length;
    const number = (count) => count.toLocaleString("en");
    find("shown").textContent = left === all ? `${number(all)} stimuli` : `${number(left)} of ${number(all)} stimuli`;
    find("nothing").hidden = left > 0;
  }

  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  for (const button of document.querySelectorAll("button.only")) {
    button.addEventListener("click", () => {
      form.reset();
      form.elements.namedItem("warning").value = button.dataset.warning;
      setTimeout(() => {
        filter();
        find("stimuli").scrollIntoView();
        find("stimuli").focus({ preventScroll: true });
      });
    });
  }

  const element = (name, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  /* Whole multiples only: a picture between two sizes would be a blurred one. */
  function show(image, from, alt) {
    const width = from.naturalWidth || Number(from.getAttribute("width"));
    const times = Math.max(1, Math.floor(384 / width));
    image.src = from.src;
    image.alt = alt;
    image.width = width * times;
    return times;
  }

  const SVG = "http://www.w3.org/2000/svg";
  function draw(parent, name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  function drawCurve(scales) {
    const points = scales.flat();
    find("viewer-loss").hidden = points.length === 0;
    if (points.length === 0) return;
    const [width, height, left, bottom] = [640, 220, 56, 34];
    const logs = points.map(([, loss]) => Math.log10(loss));
    const low = Math.floor(Math.min(...logs));
    const high = Math.max(low + 1, Math.ceil(Math.max(...logs)));
    const last = points[points.length - 1];
    const x = (evaluation) => left + ((width - left - 8) * (evaluation - 1)) / Math.max(1, last[0] - 1);
    const y = (log) => 8 + ((height - bottom - 8) * (high - log)) / (high - low);
    const svg = draw(find("curve"), "svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
    const words = `Loss of ${points[0][1]} at evaluation ${points[0][0]}, ${last[1]} at evaluation ${last[0]}`;
    svg.setAttribute("aria-label", `${words}; a line for each of ${scales.length} scales`);
    const step = Math.max(1, Math.ceil((high - low) / 5));
    for (let power = low; power <= high; power += step) {
      draw(svg, "line", { class: "axis", x1: left, x2: width - 8, y1: y(power), y2: y(power) });
      const label = draw(svg, "text", { x: left - 8, y: y(power) + 4, "text-anchor": "end" }, "10");
      draw(label, "tspan", { dy: -5, "font-size": 9 }, String(power).replace("-", "\u2212"));
    }
    for (const scale of scales) {
      const line = scale.map(([evaluation, loss]) => `${x(evaluation).toFixed(1)},${y(Math.log10(loss)).toFixed(1)}`);
      draw(svg, "polyline", { class: "loss", points: line.join(" ") });
    }
    draw(svg, "text", { x: left, y: height - 12 }, "evaluation 1");
    draw(svg, "text", { x: width - 8, y: height - 12, "text-anchor": "end" }, last[0].toLocaleString("en"));
  }

  function fill(button) {
    opened = button;
    const said = JSON.parse(button.parentElement.querySelector("script").textContent);
    const among = visible();
    find("viewer-title").textContent = said.title;
    find("viewer-place").textContent = `${among.indexOf(button) + 1} of ${among.length}`;
    find("viewer-warnings").textContent = said.warnings.join("; ");
    const source = button.closest("section").querySelector(".original img");
    show(find("viewer-source"), source, source.alt);
    const picture = button.querySelector("img");
    const times = show(find("viewer-stimulus"), picture, `Stimulus: ${said.title}`);
    const size = `${said.size[0]} \u00d7 ${said.size[1]} pixels`;
    const enlarged = times > 1 ? `, shown ${times} times as large` : "";
    find("viewer-caption").textContent = said.exact
      ? `Stimulus, ${size}${enlarged}`
      : `Stimulus, a copy; the set\u2019s file has ${size}`;
    find("curve").replaceChildren();
    drawCurve(said.curve);
    find("viewer-snapshots").hidden = said.snapshots.length === 0;
    find("snapshots").replaceChildren(
      ...said.snapshots.map(([data, words]) => {
        const item = element("li");
        const image = element("img");
        image.src = data;
        image.alt = "";
        item.append(image, words);
        return item;
      }),
    );
    find("groups").replaceChildren(
      ...said.groups.map(([title, facts]) => {
        const group = element("section");
        const list = element("dl");
        for (const [name, text] of facts) {
          const row = element("div");
          row.append(element("dt", name), element("dd", text));
          list.append(row);
        }
        group.append(element("h3", title), list);
        return group;
      }),
    );
  }

  function step(by) {
    const among = visible();
    const next = among[among.indexOf(opened) + by];
    if (next === undefined) return;
    fill(next);
    viewer.scrollTop = 0;
  }

  for (const button of stimuli) {
    button.addEventListener("click", () => {
      fill(button);
      viewer.showModal();
      viewer.scrollTop = 0;
      find("viewer-title").focus();
    });
    button.addEventListener("keydown", (event) => {
      const among = visible();
      const here = among.indexOf(button);
      const next = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: among.length - 1 }[event.key];
      if (among[next] === undefined) return;
      event.preventDefault();
      among[next].focus();
    });
  }
  viewer.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  });
  viewer.addEventListener("click", (event) => {
    if (event.target === viewer) viewer.close();
  });
  viewer.addEventListener("close", () => opened.focus());
  find("previous").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  find("close").addEventListener("click", () => viewer.close());
  filter();
})();
