"use strict";
(function () {
  var PAGE = 100;
  var RANK = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };
  var root = document.documentElement;
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var say = function (words) { document.getElementById("said").textContent = words; };
  var lists = {};

  // Light or dark: what the system prefers, until the reader says otherwise.
  var theme = document.getElementById("theme");
  var store = function (value) { try { if (value) { localStorage.setItem("thirdtrail-theme", value); } return localStorage.getItem("thirdtrail-theme"); } catch (error) { return value; } };
  var system = window.matchMedia("(prefers-color-scheme: dark)");
  var isDark = function () { return root.dataset.theme ? root.dataset.theme === "dark" : system.matches; };
  var label = function () { theme.textContent = isDark() ? "Light" : "Dark"; theme.setAttribute("aria-label", (isDark() ? "Light" : "Dark") + " colours"); };
  var chosen = store();
  if (chosen === "dark" || chosen === "light") { root.dataset.theme = chosen; }
  theme.hidden = false;
  label();
  theme.addEventListener("click", function () { root.dataset.theme = isDark() ? "light" : "dark"; store(root.dataset.theme); label(); });
  system.addEventListener("change", label);

  // Text blocks that are there to be copied.
  var copied = function (button, done) {
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    say(done ? "Copied" : "Selected: press Ctrl+C to copy");
    setTimeout(function () { button.textContent = "Copy"; }, 2000);
  };
  var select = function (pre) {
    var range = document.createRange();
    range.selectNodeContents(pre);
    var selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    try { return document.execCommand("copy"); } catch (error) { return false; }
  };
  all("pre[data-copy]").forEach(function (pre) {
    var box = document.createElement("div");
    var button = document.createElement("button");
    box.className = "with-copy";
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    pre.replaceWith(box);
    box.append(pre, button);
    button.addEventListener("click", function () {
      var text = pre.textContent.replace(/\n$/, "");
      if (!navigator.clipboard) { copied(button, select(pre)); return; }
      navigator.clipboard.writeText(text).then(function () { copied(button, true); }, function () { copied(button, select(pre)); });
    });
  });

  // Tables that can be searched, filtered and sorted; only what is looked at is in the document.
  var value = function (row, at, kind) {
    var cell = row.cells[at];
    if (!cell) { return kind === "text" ? "" : -1; }
    var text = cell.dataset.v || cell.textContent;
    if (kind === "num") { var number = parseFloat(text.replace(/,/g, "")); return isNaN(number) ? -1 : number; }
    if (kind === "rank") { var severity = text.trim().split(/\s/)[0]; return severity in RANK ? RANK[severity] : 9; }
    return text.trim().toLowerCase();
  };
  var List = function (table) {
    this.body = table.tBodies[0];
    this.rows = all("tr", this.body);
    this.form = document.querySelector('form[data-for="' + table.id + '"]');
    this.pager = document.querySelector('.pager[data-for="' + table.id + '"]');
    this.codes = null;
    this.page = Number(table.dataset.page) || PAGE;
    this.room = this.page;
    this.table = table;
    this.order = this.rows;
    this.fields = {};
    var fields = this.fields;
    all("th[data-field]", table).forEach(function (head) { fields[head.dataset.field] = head.cellIndex; });
  };
  List.prototype.field = function (row, name) {
    return name in row.dataset ? row.dataset[name] : row.cells[this.fields[name]].textContent.trim();
  };
  List.prototype.matching = function () {
    var form = this.form;
    var words = form ? form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    var wanted = form ? all("select", form).filter(function (one) { return one.value; }).map(function (one) { return [one.name, one.value]; }) : [];
    var codes = this.codes;
    var list = this;
    return this.order.filter(function (row) {
      if (codes && codes.indexOf(row.dataset.code) < 0) { return false; }
      if (!wanted.every(function (pair) { return (" " + list.field(row, pair[0]) + " ").indexOf(" " + pair[1] + " ") >= 0; })) { return false; }
      if (!words.length) { return true; }
      if (row.found === undefined) { row.found = row.textContent.toLowerCase(); }
      return words.every(function (word) { return row.found.indexOf(word) >= 0; });
    });
  };
  List.prototype.show = function () {
    var rows = this.matching();
    var shown = rows.slice(0, this.room);
    this.body.replaceChildren.apply(this.body, shown);
    var words = rows.length === this.rows.length ? rows.length.toLocaleString("en") + " in all" : rows.length.toLocaleString("en") + " of " + this.rows.length.toLocaleString("en");
    if (this.form) { this.form.querySelector(".shown").textContent = words + (shown.length < rows.length ? ", the first " + shown.length.toLocaleString("en") + " shown" : ""); }
    if (this.pager) { this.pager.hidden = shown.length === rows.length; }
  };
  List.prototype.more = function (room) { this.room = room; this.show(); };
  List.prototype.sortBy = function (head, at, kind) {
    var down = head.getAttribute("aria-sort") === "ascending" || (!head.hasAttribute("aria-sort") && kind === "num");
    all("th[aria-sort]", this.table).forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var keyed = this.rows.map(function (row, place) { return { row: row, key: value(row, at, kind), place: place }; });
    keyed.sort(function (a, b) {
      var order = a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
      return (down ? -order : order) || a.place - b.place;
    });
    this.order = keyed.map(function (one) { return one.row; });
    this.show();
  };
  List.prototype.press = function (codes, theme) {
    this.codes = codes;
    all(".themes a").forEach(function (other) { if (other === theme) { other.setAttribute("aria-pressed", "true"); } else { other.setAttribute("aria-pressed", "false"); } });
    this.room = this.page;
    this.show();
  };
  List.prototype.start = function () {
    var list = this;
    all("th[data-sort]", this.table).forEach(function (head) {
      var button = document.createElement("button");
      button.type = "button";
      button.append.apply(button, Array.prototype.slice.call(head.childNodes));
      head.append(button);
      button.addEventListener("click", function () { list.sortBy(head, head.cellIndex, head.dataset.sort); });
    });
    if (this.form) {
      this.form.hidden = false;
      this.form.addEventListener("input", function () { list.room = list.page; list.show(); });
      this.form.addEventListener("submit", function (event) { event.preventDefault(); });
      this.form.addEventListener("reset", function () { setTimeout(function () { list.press(null, null); }, 0); });
    }
    if (this.pager) {
      [["Show more", function () { list.more(list.room + PAGE); }], ["Show all", function () { list.more(Infinity); }]].forEach(function (pair) {
        var button = document.createElement("button");
        button.type = "button";
        button.textContent = pair[0];
        button.addEventListener("click", pair[1]);
        list.pager.append(button);
      });
    }
    this.show();
  };
  all("table.list").forEach(function (table) { lists[table.id] = new List(table); lists[table.id].start(); });
  all(".themes a").forEach(function (link) {
    link.setAttribute("role", "button");
    link.setAttribute("aria-pressed", "false");
    var press = function (event) {
      event.preventDefault();
      var pressed = link.getAttribute("aria-pressed") === "true";
      lists["t-findings"].press(pressed ? null : link.dataset.codes.split(" "), pressed ? null : link);
      if (!pressed) { document.getElementById("t-findings").scrollIntoView({ block: "nearest" }); }
    };
    link.addEventListener("click", press);
    link.addEventListener("keydown", function (event) { if (event.key === " ") { press(event); } });
  });

  // A finding that somebody came for is open.
  var opened = function () {
    var found = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (found && found.tagName === "DETAILS") { found.open = true; }
  };
  window.addEventListener("hashchange", opened);
  opened();

  // On paper everything is there.
  var closed = [];
  window.addEventListener("beforeprint", function () {
    Object.keys(lists).forEach(function (id) { lists[id].kept = lists[id].room; lists[id].more(Infinity); });
    closed = all("details:not([open])");
    closed.forEach(function (one) { one.open = true; });
  });
  window.addEventListener("afterprint", function () {
    Object.keys(lists).forEach(function (id) { lists[id].more(lists[id].kept); });
    closed.forEach(function (one) { one.open = false; });
  });
})();
