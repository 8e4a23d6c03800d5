
// What the page shows of a pack. All text is put in as text, never as HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const STRIP = 6, STEP = 60, SMALLEST = 0.6;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const words = (count) => count.toLocaleString("en");
  const element = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // Pictures: one is decoded when it comes near the screen, not before.
  const source = (image) => {
    if (image.dataset.picture) return `data:image/jpeg;base64,${data.pictures[image.dataset.picture]}`;
    if (data.served) return `/thumbnail/${image.dataset.sample}`;
    const small = data.images[image.dataset.sample][3];
    return small ? `data:image/jpeg;base64,${small}` : "";
  };
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      // A damaged image has none: its name is shown.
      const there = source(entry.target);
      if (there) entry.target.src = there;
    }
  }, { rootMargin: "300px" });
  document.querySelectorAll("img[data-picture], img[data-sample]").forEach((image) => near.observe(image));

  const picture = (sample, told, height) => {
    const [path, width, tall] = told;
    const image = element("img");
    image.dataset.sample = sample;
    image.alt = path;
    image.title = `${path}, ${width} × ${tall}, sample ${words(sample)}`;
    if (height) image.style.width = `${(height * Math.min(Math.max(width / tall, .5), 2.4)).toFixed(2)}rem`;
    near.observe(image);
    return image;
  };

  // Classes: a row each, with a bar, some images, and all that are shown when it is opened.
  const list = document.getElementById("list");
  const largest = Math.max(1, ...data.classes.map((one) => one[1]));
  const part = (count) => count ? Math.log(count / SMALLEST) / Math.log(largest / SMALLEST) : 0;
  const bySize = data.classes.map((one, label) => label)
    .sort((one, other) => data.classes[other][1] - data.classes[one][1] || one - other);
  const rows = data.classes.map(([name, count, samples], label) => {
    const row = element("div", "class");
    const button = element("button");
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    const title = element("span", "name", name);
    title.title = name;
    const bar = element("span", "bar"), fill = element("i");
    fill.style.width = `${(100 * part(count)).toFixed(2)}%`;
    bar.append(fill);
    const number = element("span", "count", words(count));
    number.setAttribute("aria-label", `${words(count)} images`);
    button.append(title, bar, number, element("span", "strip"));
    row.append(button);
    return { row, button, label, name, count, samples, key: name.normalize("NFC").toLowerCase() };
  });

  // Strips are filled when their rows come near the screen.
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      const { row, samples } = rows[entry.target.dataset.label];
      const strip = row.querySelector(".strip");
      for (const sample of samples.slice(0, STRIP)) {
        const image = picture(sample, data.images[sample]);
        image.alt = "";
        strip.append(image);
      }
    }
  }, { rootMargin: "300px" });
  rows.forEach(({ row, label }) => { row.dataset.label = label; seen.observe(row); });

  const fillSheet = (one, sheet) => {
    const pictures = element("div", "pictures"), note = element("p", "faint");
    sheet.append(pictures, note);
    let shown = 0;
    const tell = () => {
      const rest = one.count - shown;
      note.textContent = rest ? `${words(shown)} of ${words(one.count)} shown` : `all ${words(one.count)} shown`;
      if (!one.count) note.textContent = "This class has no images.";
      if (rest && !data.served) note.append(", drawn at random; ", element("code", "", "fastload view --serve"), " shows all");
      return rest;
    };
    if (!data.served) {
      for (const sample of one.samples) pictures.append(picture(sample, data.images[sample], 5.25));
      shown = one.samples.length;
      tell();
      return;
    }
    const more = element("button", "", "Show more");
    more.type = "button";
    const load = async () => {
      more.disabled = true;
      const answer = await fetch(`/class/${one.label}/${shown / STEP}`);
      for (const [sample, ...told] of await answer.json()) {
        pictures.append(picture(sample, told, 5.25));
        shown += 1;
      }
      more.disabled = false;
      more.hidden = !tell();
    };
    more.addEventListener("click", load);
    sheet.append(more);
    load();
  };

  const toggle = (one, open) => {
    one.row.classList.toggle("open", open);
    one.button.setAttribute("aria-expanded", String(open));
    let sheet = one.row.querySelector(".sheet");
    if (open && !sheet) {
      sheet = element("div", "sheet");
      one.row.append(sheet);
      fillSheet(one, sheet);
    }
    if (sheet) sheet.hidden = !open;
  };
  const isOpen = (one) => one.row.classList.contains("open");
  rows.forEach((one) => one.button.addEventListener("click", () => toggle(one, !isOpen(one))));

  const search = document.getElementById("search"), order = document.getElementById("order");
  const found = document.getElementById("found");
  const nothing = element("p", "nothing faint", "No class has such a name.");
  let shownRows = [];
  const arrange = () => {
    const text = search ? search.value.normalize("NFC").trim().toLowerCase() : "";
    const orders = {
      count: () => bySize.map((label) => rows[label]),
      name: () => [...rows].sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true })),
      label: () => rows,
    };
    shownRows = orders[order ? order.value : "count"]().filter((one) => one.key.includes(text));
    list.replaceChildren(...shownRows.map((one) => one.row));
    if (!shownRows.length) list.append(nothing);
    if (found) found.textContent = text ? `${words(shownRows.length)} of ${words(rows.length)} classes` : "";
    drawTail();
  };

  // The long tail at a glance: one bar a class, those found stand out.
  const tail = document.getElementById("tail");
  const prepared = (canvas) => {
    const ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = '12px system-ui, "Noto Sans CJK KR", sans-serif';
    return [pen, width, height];
  };
  const LEFT = 44;
  const drawTail = () => {
    if (!tail) return;
    const [pen, width, height] = prepared(tail);
    const foot = height - 4, room = foot - 14, step = (width - LEFT) / bySize.length;
    pen.textAlign = "right";
    for (let tick = 1; tick <= largest; tick *= 10) {
      const y = Math.round(foot - room * part(tick)) + .5;
      pen.fillStyle = colour("--line");
      pen.fillRect(LEFT, y, width - LEFT, 1);
      pen.fillStyle = colour("--faint");
      pen.fillText(words(tick), LEFT - 8, y + 4);
    }
    const there = new Set(shownRows.map((one) => one.label));
    const gap = step > 4 ? Math.min(step * .18, 6) : 0;
    // Whole pixels: bars of many classes would shimmer.
    const edge = (place) => Math.round(LEFT + place * step);
    bySize.forEach((label, place) => {
      const high = room * part(data.classes[label][1]);
      pen.fillStyle = colour(there.has(label) ? "--series-1" : "--line");
      pen.fillRect(edge(place), foot - high, Math.max(edge(place + 1) - edge(place) - gap, 1), high);
    });
  };
  if (tail) {
    const at = (event) => {
      const place = Math.floor((event.offsetX - LEFT) / (tail.clientWidth - LEFT) * bySize.length);
      return rows[bySize[place]];
    };
    tail.addEventListener("mousemove", (event) => {
      const one = at(event);
      tail.title = one ? `${one.name}: ${words(one.count)}` : "";
    });
    tail.addEventListener("click", (event) => {
      const one = at(event);
      if (!one) return;
      if (!shownRows.includes(one)) { search.value = ""; arrange(); }
      toggle(one, true);
      one.button.focus();
      one.row.scrollIntoView({ block: "center" });
    });
    search.addEventListener("input", arrange);
    order.addEventListener("change", arrange);
  }
  if (rows.length > 30) list.classList.add("long");

  // Keys: / finds, j and k and the arrows move, Enter opens (a button does), Escape clears.
  const move = (by) => {
    const here = shownRows.findIndex((one) => one.row.contains(document.activeElement));
    const next = shownRows[here < 0 ? 0 : Math.min(Math.max(here + by, 0), shownRows.length - 1)];
    if (!next) return;
    next.button.focus({ preventScroll: true });
    next.row.scrollIntoView({ block: "nearest" });
  };
  const typing = (event) => /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !search) return;
    const inList = list.contains(document.activeElement);
    if (event.key === "Escape") {
      const open = shownRows.find((one) => inList && isOpen(one) && one.row.contains(document.activeElement));
      if (open) { toggle(open, false); open.button.focus(); return; }
      search.value = "";
      arrange();
      if (event.target === search) search.blur();
    } else if (event.target === search && (event.key === "Enter" || event.key === "ArrowDown")) {
      event.preventDefault();
      if (shownRows.length) shownRows[0].button.focus();
      if (event.key === "Enter" && shownRows.length) toggle(shownRows[0], true);
    } else if (typing(event)) {
      return;
    } else if (event.key === "/") {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "j" || (inList && event.key === "ArrowDown")) {
      event.preventDefault();
      move(1);
    } else if (event.key === "k" || (inList && event.key === "ArrowUp")) {
      event.preventDefault();
      move(-1);
    }
  });

  // Sizes: a point an image, a ring a common size.
  const scatter = document.getElementById("scatter"), told = document.getElementById("point");
  const sizeRows = [...document.querySelectorAll("#sizes .compact:not(.quantiles) tbody tr")];
  let chosen = -1;
  const TICKS = [1, 2, 5].flatMap((lead) => [1, 10, 100, 1e3, 1e4, 1e5].map((ten) => lead * ten)).sort((a, b) => a - b);
  const scale = (values) => {
    const low = Math.log(Math.min(...values)) - .15, high = Math.log(Math.max(...values)) + .15;
    return (value) => (Math.log(value) - low) / Math.max(high - low, 1e-9);
  };
  const frame = () => {
    const all = [...data.points, ...data.common];
    const across = scale(all.map((size) => size[0])), down = scale(all.map((size) => size[1]));
    const width = scatter.clientWidth, height = scatter.clientHeight, foot = height - 24;
    return { x: (value) => LEFT + (width - LEFT - 8) * across(value), y: (value) => foot - (foot - 8) * down(value), width, foot };
  };
  const axes = (pen, { x, y, width, foot }) => {
    let last = -99;
    for (const tick of TICKS) {
      const at = x(tick), up = y(tick);
      pen.fillStyle = colour("--line");
      if (at >= LEFT && at <= width) pen.fillRect(Math.round(at), 4, 1, foot - 4);
      if (up >= 4 && up <= foot) pen.fillRect(LEFT, Math.round(up), width - LEFT, 1);
      pen.fillStyle = colour("--faint");
      pen.textAlign = "center";
      if (at >= LEFT && at <= width - 12 && at - last > 38) { pen.fillText(words(tick), at, foot + 17); last = at; }
      pen.textAlign = "right";
      if (up >= 8 && up <= foot) pen.fillText(words(tick), LEFT - 8, up + 4);
    }
  };
  const drawScatter = () => {
    if (!scatter) return;
    const [pen] = prepared(scatter), place = frame(), { x, y } = place;
    axes(pen, place);
    pen.fillStyle = colour("--series-1");
    pen.globalAlpha = data.points.length > 300 ? .35 : .7;
    for (const [width, height] of data.points) {
      pen.beginPath();
      pen.arc(x(width), y(height), 2.6, 0, 7);
      pen.fill();
    }
    pen.globalAlpha = 1;
    data.common.forEach(([width, height, images], number) => {
      pen.beginPath();
      pen.arc(x(width), y(height), 4 + 16 * Math.sqrt(images / data.common[0][2]), 0, 7);
      pen.strokeStyle = colour(number === chosen ? "--ink" : "--series-2");
      pen.lineWidth = number === chosen ? 3 : 1.5;
      pen.stroke();
    });
  };
  const choose = (number) => {
    chosen = number;
    sizeRows.forEach((row, place) => row.classList.toggle("chosen", place === number));
    const [width, height, images] = data.common[number];
    told.textContent = `${width} × ${height}: ${words(images)} images`;
    drawScatter();
  };
  if (scatter) {
    scatter.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!by || !data.common.length) return;
      event.preventDefault();
      choose((chosen + by + data.common.length) % data.common.length);
    });
    scatter.addEventListener("mousemove", (event) => {
      const { x, y } = frame();
      const distance = ([width, height]) => Math.hypot(x(width) - event.offsetX, y(height) - event.offsetY);
      const nearest = [...data.points].reduce((one, other) => distance(other) < distance(one) ? other : one);
      if (distance(nearest) > 20) return;
      const common = data.common.findIndex(([width, height]) => width === nearest[0] && height === nearest[1]);
      if (common >= 0) choose(common);
      else told.textContent = `${nearest[0]} × ${nearest[1]}`;
    });
    sizeRows.forEach((row, number) => row.addEventListener("mouseenter", () => choose(number)));
  }

  arrange();
  // Images without classes: there is nothing to choose from.
  if (!search) toggle(rows[0], true);
  drawScatter();
  const again = () => { drawTail(); drawScatter(); };
  window.addEventListener("resize", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  document.fonts.ready.then(again);
})();
