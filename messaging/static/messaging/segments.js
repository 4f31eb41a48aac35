// The builder of a segment's definition: rows of conditions, made from the JSON schema, beside the JSON itself.
"use strict";

(() => {
  const DELAY_MS = 600;
  const MODELS = { campaign: "campaign", contact: "contact", contactlist: "list", tag: "tag" };
  const GROUPS = { all: "All of these apply", any: "Any of these applies" };

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const words = (name) => name.replaceAll("_", " ");
  const button = (text, onclick) => make("button", { type: "button", textContent: text, onclick });

  function choose(options, value, label, onchange) {
    const select = make("select", { ariaLabel: label });
    for (const [key, text] of options) {
      select.append(make("option", { value: key, textContent: text, selected: key === value }));
    }
    select.onchange = () => onchange(select.value);
    return select;
  }

  // The parts of which a condition has exactly one, such as "is" and "begins with".
  function alternatives(schema) {
    if (!schema.minProperties || schema.minProperties !== schema.maxProperties) return [];
    return Object.keys(schema.properties).filter((name) => !(schema.required ?? []).includes(name));
  }

  function firstValue(schema) {
    if (schema.type === "array") return schema.items.enum ? [schema.items.enum[0]] : [];
    if (schema.enum) return schema.enum[0];
    if (schema.type === "integer") return schema.maximum > 100000 ? null : 30;
    if (schema.type === "number") return 0;
    return schema.type === "boolean" ? true : "";
  }

  function firstDefinition(kind, schema) {
    const names = [...(schema.required ?? []), ...alternatives(schema).slice(0, 1)];
    return { [kind]: Object.fromEntries(names.map((name) => [name, firstValue(schema.properties[name])])) };
  }

  const withoutNot = (node) => {
    let [negated, inner] = [false, node];
    while (inner.not) [negated, inner] = [!negated, inner.not];
    return [negated, inner];
  };

  // An input for one part of a condition. `set` gets undefined if it is left empty.
  function input(schema, value, label, optional, set) {
    if (schema.type === "array" && schema.items.enum) {
      const chosen = new Set(value ?? []);
      const box = make("span", { className: "segment-choices" });
      for (const choice of schema.items.enum) {
        const tick = make("input", { type: "checkbox", checked: chosen.has(choice) });
        tick.onchange = () => {
          tick.checked ? chosen.add(choice) : chosen.delete(choice);
          set(chosen.size || !optional ? [...chosen] : undefined);
        };
        box.append(make("label", {}, tick, words(choice)));
      }
      return box;
    }
    if (schema.enum) {
      const options = schema.enum.map((choice) => [choice, words(choice)]);
      return choose(optional ? [["", "any"], ...options] : options, value ?? "", label, (key) => set(key || undefined));
    }
    if (schema.type === "boolean") {
      return choose([["true", "yes"], ["false", "no"]], String(value), label, (key) => set(key === "true"));
    }
    const field = make("input", { ariaLabel: label, type: "text" });
    field.classList.add("vTextField");
    if (schema.type === "array") {
      field.placeholder = "several: separated by commas";
      field.value = (value ?? []).join(", ");
      field.oninput = () => {
        const parts = field.value.split(",").map((part) => part.trim()).filter(Boolean);
        set(parts.length || !optional ? parts : undefined);
      };
      return field;
    }
    if (schema.type === "integer" || schema.type === "number") {
      const step = schema.type === "number" ? "any" : 1;
      Object.assign(field, { type: "number", min: schema.minimum, max: schema.maximum, step });
      field.oninput = () => set(field.value === "" ? (optional ? undefined : null) : Number(field.value));
    } else {
      if (schema.format === "date") field.type = "date";
      field.oninput = () => set(field.value || !optional ? field.value : undefined);
    }
    field.classList.remove("vTextField");
    field.value = value ?? "";
    return field;
  }

  // Campaigns or contacts, found by their names: the definition has their IDs.
  class Chooser {
    static counter = 0;
    static names = new Map(); // by model and ID

    constructor(builder, model, many, value, label, set) {
      Object.assign(this, { builder, model, many, set });
      this.ids = [value ?? []].flat();
      this.found = new Map(); // IDs by the texts that are offered now
      const list = make("datalist", { id: `segment-choices-${Chooser.counter++}` });
      const field = make("input", { type: "text", ariaLabel: label, placeholder: `Type the name of a ${MODELS[model]}` });
      field.setAttribute("list", list.id);
      field.autocomplete = "off";
      field.oninput = () => this.type(field, list);
      this.chips = make("span", { className: "segment-chips" });
      this.element = make("span", { className: "segment-chooser" }, this.chips, field, list);
      this.show();
      this.load({ ids: this.ids.filter((id) => !Chooser.names.has(this.key(id))).slice(0, 100) }).then(() => this.show());
    }

    key(id) {
      return `${this.model} ${id}`;
    }

    show() {
      const chip = (id) => {
        const remove = button("×", () => this.put(this.ids.filter((other) => other !== id)));
        const name = Chooser.names.get(this.key(id)) ?? `#${id}`;
        remove.ariaLabel = `Remove ${name}`;
        return make("span", { className: "segment-chip" }, name, remove);
      };
      this.chips.replaceChildren(...this.ids.map(chip));
    }

    put(ids) {
      this.ids = ids;
      this.set(this.many ? ids : (ids[0] ?? null));
      this.show();
    }

    type(field, list) {
      const id = this.found.get(field.value);
      if (id !== undefined) {
        field.value = "";
        list.replaceChildren();
        this.put(this.many ? [...new Set([...this.ids, id])] : [id]);
        return;
      }
      clearTimeout(this.timer);
      this.timer = setTimeout(async () => {
        const results = await this.load({ q: field.value.trim() });
        this.found = new Map(results.map((each) => [each.text, each.id]));
        list.replaceChildren(...results.map((each) => make("option", { value: each.text })));
      }, DELAY_MS / 2);
    }

    async load({ ids = [], q = "" }) {
      if (!ids.length && !q) return [];
      const query = new URLSearchParams({ model: this.model, company: this.builder.company, ids: ids.join(","), q });
      const answer = await fetch(`${this.builder.text.dataset.choicesUrl}?${query}`).catch(() => null);
      const results = answer?.ok ? (await answer.json()).results : [];
      for (const each of results) Chooser.names.set(this.key(each.id), each.text);
      return results;
    }
  }

  class Builder {
    constructor(text) {
      this.text = text;
      this.references = JSON.parse(text.dataset.references);
      this.kinds = JSON.parse(text.dataset.segmentSchema).$defs.condition.properties;
      this.box = make("div", { className: "segment-builder" });
      this.live = make("div", { className: "segment-live" });
      this.live.setAttribute("aria-live", "polite");
      const json = make("details", { className: "segment-json" }, make("summary", { textContent: "The same in JSON" }));
      text.before(this.box, this.live, json);
      json.append(text);
      document.querySelector(".field-preview")?.classList.add("segment-twice");
      text.addEventListener("input", () => this.read());
      document.querySelector("[name=company]")?.addEventListener("change", () => this.preview());
      window.django?.jQuery?.("[name=company]").on("change", () => this.preview());
      this.read();
    }

    get company() {
      return document.querySelector("[name=company]")?.value ?? this.text.dataset.company ?? "";
    }

    read() {
      try {
        const root = JSON.parse(this.text.value || "{}") ?? {};
        const [name] = Object.keys(root);
        this.root = name in GROUPS ? root : name in this.kinds ? { all: [root] } : { all: [] };
        this.render();
      } catch {
        this.box.replaceChildren("The JSON below can't be shown as rows.");
      }
      this.preview();
    }

    changed(render) {
      this.text.value = JSON.stringify(this.root, null, 1);
      if (render) this.render();
      this.preview();
    }

    render() {
      const replace = (node) => {
        this.root = node;
        this.changed(true);
      };
      this.box.replaceChildren(this.group(this.root, replace, true));
    }

    group(node, replace, isRoot = false) {
      const [negated, inner] = withoutNot(node);
      const [name] = Object.keys(inner);
      const put = (not, key) => replace(not ? { not: { [key]: inner[name] } } : { [key]: inner[name] });
      const head = make("div", { className: "segment-head" });
      head.append(choose(Object.entries(GROUPS), name, "How the conditions are joined", (key) => put(negated, key)));
      if (!isRoot) {
        head.append(this.not(negated, (not) => put(not, name)), this.remove(() => replace(null)));
      }
      const box = make("fieldset", { className: "segment-group" }, head);
      inner[name].forEach((part, number) => {
        const replacePart = (other) => {
          other === null ? inner[name].splice(number, 1) : inner[name].splice(number, 1, other);
          this.changed(true);
        };
        const isGroup = Object.keys(withoutNot(part)[1])[0] in GROUPS;
        box.append(isGroup ? this.group(part, replacePart) : this.row(part, replacePart));
      });
      box.append(this.adder(inner[name]));
      return box;
    }

    row(node, replace) {
      const [negated, inner] = withoutNot(node);
      const [kind] = Object.keys(inner);
      const [schema, value] = [this.kinds[kind], inner[kind]];
      const row = make("div", { className: "segment-row" }, make("strong", { textContent: schema.title, title: schema.description }));
      row.append(this.not(negated, (not) => replace(not ? { not: inner } : inner)));
      const others = alternatives(schema);
      const set = (name) => (part) => {
        part === undefined ? delete value[name] : (value[name] = part);
        this.changed(false);
      };
      for (const [name, part] of Object.entries(schema.properties)) {
        if (others.includes(name)) continue;
        const optional = !(schema.required ?? []).includes(name);
        const model = this.references[`${kind}.${name}`];
        if (model) {
          const many = part.type === "array";
          row.append(new Chooser(this, model, many, value[name], `${schema.title}: ${MODELS[model]}`, set(name)).element);
          continue;
        }
        row.append(make("label", {}, words(name), " ", input(part, value[name], words(name), optional, set(name))));
      }
      if (others.length) {
        const present = others.find((name) => name in value) ?? others[0];
        const pick = (name) => {
          delete value[present];
          value[name] = firstValue(schema.properties[name]);
          this.changed(true);
        };
        row.append(choose(others.map((name) => [name, words(name)]), present, "Comparison", pick));
        row.append(input(schema.properties[present], value[present], words(present), false, set(present)));
      }
      row.append(this.remove(() => replace(null)));
      return row;
    }

    not(negated, onchange) {
      const options = [["", "applies"], ["not", "doesn't apply"]];
      return choose(options, negated ? "not" : "", "Whether it applies", (key) => onchange(key === "not"));
    }

    remove(onclick) {
      const remove = button("Remove", onclick);
      remove.classList.add("segment-remove");
      return remove;
    }

    adder(parts) {
      const offered = Object.entries(this.kinds).filter(([name]) => !(name in GROUPS) && name !== "not");
      const options = [["", "Add a condition…"], ...offered.map(([name, schema]) => [name, schema.title])];
      const add = (part) => {
        parts.push(part);
        this.changed(true);
      };
      const select = choose(options, "", "Add a condition", (kind) => kind && add(firstDefinition(kind, this.kinds[kind])));
      return make("div", { className: "segment-add" }, select, button("Add a group", () => add({ any: [] })));
    }

    preview() {
      clearTimeout(this.timer);
      this.live.classList.add("is-old");
      this.timer = setTimeout(() => this.load(), DELAY_MS);
    }

    async load() {
      const body = new FormData();
      body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
      body.set("company", this.company);
      body.set("definition", this.text.value);
      const answer = await fetch(this.text.dataset.previewUrl, { method: "POST", body }).catch(() => null);
      const html = answer?.ok ? (await answer.json()).html : "The preview could not be loaded.";
      this.live.innerHTML = html; // escaped by the server
      this.live.classList.remove("is-old");
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const text = document.querySelector("textarea[data-segment-schema]");
    if (text) new Builder(text);
  });
})();
