"use strict";

const COUNT = 20;
const POINTS = 1000;
const STEPS = 9;
const FULL = 3.1; // the slider's end: no truncation
const SLOTS = ["A", "B", "C"];
const MOST_PIXELS = 16e6; // of a picture that is given
const WORDS = {
  translate: "This model draws nothing by a seed: it translates the picture that you give it below.",
  restore: "This model draws nothing by a seed: it restores the picture that you give it below.",
};

const at = (id) => document.getElementById(id);
const models = JSON.parse(at("models").textContent);
const state = { model: models[0], signatures: {}, classes: [], draws: {}, picks: [null, null, null], slot: 0, turn: 0 };

/** Asks the server; the answer, or an Error with the first line of its words: others say where in the graph it was. */
async function ask(path, body) {
  const options = body && { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`v1/models/${encodeURIComponent(state.model.name)}${path}`, options);
  const tree = await answer.json();
  if (!answer.ok) throw new Error(String(tree.error).split("\n")[0]);
  return tree;
}

/** Asks a signature by columns: {output: rows}; of one output TF Serving leaves the name out. */
async function predict(signature, inputs) {
  const { outputs } = await ask(":predict", { signature_name: signature, inputs });
  const names = Object.keys(state.signatures[signature].outputs);
  return names.length === 1 ? { [names[0]]: outputs } : outputs;
}

/** Runs what a user asked for. A later request overtakes an earlier one of the same kind. */
async function tell(work) {
  at("status").textContent = "";
  try {
    await work();
  } catch (error) {
    at("status").textContent = error.message;
  }
}

/** The name of the signature's input or output that has a role; undefined where none has. */
const named = (tensors, role) => Object.keys(tensors ?? {}).find((name) => tensors[name].role === role);
const taken = (signature, role) => named(state.signatures[signature]?.inputs, role);
const given = (signature, role) => named(state.signatures[signature]?.outputs, role);

/** The signature that takes inputs of these roles, and labels where it wants; undefined where none does. */
function asking(roles, role) {
  const wanted = [...roles].sort().join();
  return Object.keys(state.signatures).find((name) => {
    const found = Object.values(state.signatures[name].inputs).map((each) => each.role);
    return found.filter((each) => each !== "label").sort().join() === wanted && given(name, role);
  });
}

/** Fills a signature's inputs by their roles: {role: rows}; of several inputs of one role, {role: [rows, rows]}. */
function filled(signature, values) {
  const left = Object.fromEntries(Object.entries(values).map(([role, rows]) => [role, [...rows]]));
  const inputs = Object.entries(state.signatures[signature].inputs).filter(([, { role }]) => role in left);
  return Object.fromEntries(inputs.map(([name, { role }]) => [name, left[role].shift()]));
}

const labelled = () => Boolean(taken(state.draws.plain, "label"));
const drawn = () => state.signatures[state.draws.plain]?.outputs[given(state.draws.plain, "target")];
const drawsPoints = () => drawn()?.kind === "point";
const source = (bytes) => `data:image/png;base64,${bytes.b64}`;
const title = (pick) => `seed ${pick.seed}${pick.label === null ? "" : `, class ${state.classes[pick.label] ?? pick.label}`}`;

function picture(src, alt) {
  const image = document.createElement("img");
  image.src = src;
  image.alt = alt;
  return image;
}

function item(...children) {
  const made = document.createElement("li");
  made.append(...children);
  return made;
}

/** The samples that the form asks for. */
async function draw() {
  const turn = ++state.turn;
  const first = Number(at("seed").value);
  const count = drawsPoints() ? POINTS : COUNT;
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  const chosen = at("class").value;
  const classes = Math.max(state.classes.length, 1);
  const labels = seeds.map((seed) => (chosen === "each" ? ((seed % classes) + classes) % classes : Number(chosen)));
  const bound = Number(at("truncation").value);
  const truncated = bound < FULL && Boolean(state.draws.truncated);
  const signature = truncated ? state.draws.truncated : state.draws.plain;
  const bounds = seeds.map(() => bound);
  const outputs = await predict(signature, filled(signature, { seed: [seeds], label: [labels], truncation: [bounds] }));
  const rows = outputs[given(signature, "target")];
  if (turn !== state.turn) return;
  if (drawsPoints()) {
    scatter(rows);
    return;
  }
  const made = rows.map((bytes, i) => ({
    seed: seeds[i], label: labelled() ? labels[i] : null, src: source(bytes), truncated,
  }));
  at("grid").replaceChildren(...made.map((each) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(picture(each.src, title(each)));
    button.addEventListener("click", () => tell(() => pick(each, button)));
    return item(button);
  }));
}

function scatter(points) {
  const canvas = at("scatter");
  const context = canvas.getContext("2d");
  const reach = 1.1 * Math.max(...points.flat().map(Math.abs));
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#14328c";
  for (const [x, y] of points) {
    context.fillRect((x / reach + 1) * canvas.width / 2 - 1, (1 - y / reach) * canvas.height / 2 - 1, 3, 3);
  }
}

/** Puts a sample into the next slot, and shows what follows from the three. */
async function pick(sample, button) {
  state.picks[state.slot] = sample;
  state.slot = (state.slot + 1) % SLOTS.length;
  button?.setAttribute("aria-pressed", "true");
  showPicks();
  await Promise.all([walk(), add()]);
}

function showPicks() {
  at("picks").replaceChildren(...SLOTS.map((name, i) => {
    const chosen = state.picks[i];
    const label = document.createElement("b");
    label.textContent = `${name} `;
    const empty = document.createElement("div");
    empty.className = "empty";
    return item(chosen ? picture(chosen.src, `${name}: ${title(chosen)}`) : empty, label, chosen ? title(chosen) : "not chosen");
  }));
}

/** From A to B, by the class of A. */
async function walk() {
  const [a, b] = state.picks;
  const { way } = state.draws;
  if (!a || !b || !way) return;
  const shares = Array.from({ length: STEPS }, (_, i) => i / (STEPS - 1));
  const every = (value) => shares.map(() => value);
  const inputs = filled(way, { seed: [every(a.seed), every(b.seed)], share: [shares], label: [every(a.label)] });
  const outputs = await predict(way, inputs);
  at("way").replaceChildren(...outputs[given(way, "target")].map((bytes, i) =>
    item(picture(source(bytes), `${Math.round(100 * shares[i])} % of the way`))));
}

/** A - B + C, of their noise; the class is that of A. */
async function add() {
  const [a, b, c] = state.picks;
  const { noise, main } = state.draws;
  if (!a || !b || !c || !noise || !main) return;
  const latent = await predict(noise, filled(noise, { seed: [[a.seed, b.seed, c.seed]] }));
  const sums = Object.fromEntries(Object.entries(latent).map(([name, [x, y, z]]) =>
    [name, [x.map((value, i) => value - y[i] + z[i])]]));
  const outputs = await predict(main, { ...sums, ...filled(main, { label: [[a.label]] }) });
  const [pixels] = outputs[given(main, "target")];
  paint(at("sum"), pixels);
}

/** An image of [rows][columns][channels] in [0, 1]. */
function paint(canvas, pixels) {
  canvas.height = pixels.length;
  canvas.width = pixels[0].length;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  pixels.flat().forEach((pixel, i) => {
    const colour = pixel.length === 3 ? pixel : [pixel[0], pixel[0], pixel[0]];
    colour.forEach((value, channel) => { image.data[4 * i + channel] = Math.round(255 * value); });
    image.data[4 * i + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  canvas.hidden = false;
}

/** The signatures that take an image as a file, and give one. */
const takers = () => Object.keys(state.signatures).filter((name) => {
  const input = state.signatures[name].inputs[taken(name, "input")];
  return input?.kind === "image" && input.dtype === "string";
});

/** A file as the model takes it: upright, opaque, a square where the model takes no other; a canvas. */
async function opened(file) {
  const image = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
    throw new Error(`${file.name} is no picture that this browser reads`);
  });
  if (image.width * image.height > MOST_PIXELS) {
    throw new Error(`${file.name} has ${image.width} x ${image.height} pixels: more than ${MOST_PIXELS / 1e6} million`);
  }
  const main = state.signatures.serving_default;
  const fixed = Number.isInteger(main?.inputs[taken("serving_default", "input")]?.shape[1]);
  const side = Math.min(image.width, image.height);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = fixed ? [side, side] : [image.width, image.height];
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, Math.trunc((canvas.width - image.width) / 2), Math.trunc((canvas.height - image.height) / 2));
  return canvas;
}

/** What a signature takes beside a picture: its kernel, of the file that is chosen, which is shown; nothing without. */
async function beside(signature) {
  const name = taken(signature, "kernel");
  const [file] = at("kernel").files;
  at("spread").hidden = true;
  if (!name || !file) return {};
  const kernel = await kernelOf(file, state.signatures[signature].inputs[name].shape[1]);
  const most = Math.max(...kernel.flat());
  paint(at("spread"), kernel.map((row) => row.map((value) => [value / most])));
  return { [name]: [kernel] };
}

/** Asks the model for what it makes of a file, and lays it over that. */
async function give(file) {
  const turn = ++state.turn;
  const signature = at("by").value;
  const kernel = await beside(signature);
  if (!file || turn !== state.turn) return;
  if (taken(signature, "kernel") && !Object.keys(kernel).length) {
    throw new Error("this model is told what a picture was blurred by: choose its kernel, too");
  }
  const canvas = await opened(file);
  const before = canvas.toDataURL("image/png");
  const picked = { [taken(signature, "input")]: [{ b64: before.split(",")[1] }] };
  const outputs = await predict(signature, { ...picked, ...kernel });
  if (turn !== state.turn) return;
  const [made] = Object.values(outputs)[0];
  const after = source(made.b64 ? made : { b64: made });
  const shown = [picture(before, "what was given"), picture(after, "what the model made of it")];
  [shown[0].id, shown[1].id] = ["before", "after"];
  await Promise.all(shown.map((image) => image.decode()));
  at("pair").replaceChildren(...shown);
  at("save").href = after;
  at("sizes").textContent = `${canvas.width} x ${canvas.height} pixels given, `
    + `${shown[1].naturalWidth} x ${shown[1].naturalHeight} made`;
  at("compare").hidden = false;
}

function option(value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

/** What the model takes and gives: as it answers itself, or as was read of one that is older. */
async function interfaceOf(model, signatures) {
  if (!("interface" in (signatures.interface?.outputs ?? {}))) return model.interface;
  const { outputs } = await ask(":predict", { signature_name: "interface", inputs: [0] });
  return JSON.parse(outputs[0]);
}

/** Shows a model: what it answers decides what there is to do. */
async function open(model) {
  Object.assign(state, { model, signatures: {}, classes: [], draws: {}, picks: [null, null, null], slot: 0 });
  at("name").textContent = document.title = model.name;
  at("about").hidden = !model.card;
  at("card").textContent = model.card;
  for (const id of ["grid", "way"]) at(id).replaceChildren();
  const [{ metadata }, { model_version_status: versions }] = await Promise.all([ask("/metadata"), ask("")]);
  const told = await interfaceOf(model, metadata.signature_def.signature_def);
  state.signatures = told?.signatures ?? {};
  state.classes = told?.classes ?? [];
  state.draws = {
    plain: asking(["seed"], "target"),
    truncated: asking(["seed", "truncation"], "target"),
    way: asking(["seed", "seed", "share"], "target"),
    noise: asking(["seed"], "noise"),
    main: given("serving_default", "target") && taken("serving_default", "noise") && "serving_default",
  };
  at("versions").textContent = versions
    .map((each) => `version ${each.version}: ${each.state.toLowerCase()}`).join(", ");
  const draws = Boolean(state.draws.plain);
  at("controls").hidden = !draws;
  at("hint").textContent = draws
    ? "Choose pictures to put them into A, B and C below."
    : WORDS[told?.task] ?? "This model draws nothing by a seed.";
  at("hint").hidden = drawsPoints();
  at("scatter").hidden = !drawsPoints();
  at("between").hidden = !draws || drawsPoints();
  at("sum").hidden = true;
  const ways = takers();
  at("give").hidden = !ways.length;
  at("by-field").hidden = ways.length < 2;
  at("kernel-field").hidden = !ways.some((name) => taken(name, "kernel"));
  at("spread").hidden = true;
  at("kernel").value = "";
  at("by").replaceChildren(...ways.map((name) => option(name, state.signatures[name].about || name)));
  at("compare").hidden = true;
  at("file").value = "";
  at("class-field").hidden = !labelled();
  at("class").replaceChildren(option("each", "each in turn"),
    ...state.classes.map((name, i) => option(i, name)));
  at("truncation-field").hidden = !state.draws.truncated;
  showPicks();
  if (draws) await draw();
}

at("controls").addEventListener("submit", (event) => {
  event.preventDefault();
  tell(draw);
});
at("next").addEventListener("click", () => {
  at("seed").value = Number(at("seed").value) + (drawsPoints() ? POINTS : COUNT);
  tell(draw);
});
at("truncation").addEventListener("input", () => {
  const bound = Number(at("truncation").value);
  at("truncation-value").textContent = bound < FULL ? bound.toFixed(1) : "off";
});
at("truncation").addEventListener("change", () => tell(draw));
at("class").addEventListener("change", () => tell(draw));
at("given").addEventListener("submit", (event) => event.preventDefault());
at("given").addEventListener("change", () => tell(() => give(at("file").files[0])));
at("cut").addEventListener("input", () => at("pair").style.setProperty("--cut", `${at("cut").value}%`));
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  at("drop").addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", name === "dragenter" || name === "dragover");
  });
}
at("drop").addEventListener("drop", (event) => {
  at("file").files = event.dataTransfer.files;
  tell(() => give(at("file").files[0]));
});
at("chooser").hidden = models.length < 2;
at("model").replaceChildren(...models.map((each, i) => option(i, each.name)));
at("model").addEventListener("change", () => tell(() => open(models[at("model").value])));
tell(() => open(models[0]));
