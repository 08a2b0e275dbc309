/* The browser's side: the address is the state, the controls write it and follow it. */
(function () {
  "use strict";

  var THEME_KEY = "mantine-color-scheme-value";
  var RANGES = { "15m": 900, "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800 };
  var DEFAULT_RANGE = "1h";
  var LATE_MS = 5000;
  var POLL_MS = 5000;
  var HOLD_MS = 5000;
  var SETTLE_MS = 200;
  var RELOAD_MS = 45000;
  var RELOAD_AT_MOST_MS = 120000;

  var opened = Date.now();
  var lastBeat = 0;
  var lastPoll = Date.now();
  var theme = null;

  function skip() {
    return window.dash_clientside.no_update;
  }

  /* Goes to an address as a link of the UI does: no load, and Back returns from it. */
  function go(search, replace) {
    var now = window.location;
    if (now.search === search) return;
    var target = now.pathname + search;
    if (replace) window.history.replaceState({}, "", target);
    else window.history.pushState({}, "", target);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  function changed(changes) {
    var query = new URLSearchParams(window.location.search);
    Object.keys(changes).forEach(function (name) {
      if (changes[name]) query.set(name, changes[name]);
      else query.delete(name);
    });
    var text = query.toString().replace(/\+/g, "%20");
    return text ? "?" + text : "";
  }

  function remembered() {
    try {
      return localStorage.getItem(THEME_KEY);
    } catch (refused) {
      return null;
    }
  }

  function remember(value) {
    try {
      localStorage.setItem(THEME_KEY, value);
    } catch (refused) {
      /* It then lasts as long as the page. */
    }
  }

  /* A server that came back after the socket gave up: load anew, at most every two minutes. */
  function reloadWhenBack() {
    var last = Number(sessionStorage.getItem("stalewatch-reload") || 0);
    if (Date.now() - last < RELOAD_AT_MOST_MS) return;
    fetch(window.location.href, { cache: "no-store" }).then(
      function (answer) {
        if (!answer.ok) return;
        sessionStorage.setItem("stalewatch-reload", String(Date.now()));
        window.location.reload();
      },
      function () {}
    );
  }

  /* Dash passes no custom data of a heat map's point on: it is looked up between the edges. */
  function inGrid(point, figure) {
    var trace = figure.data[point.curveNumber];
    var at = function (text) {
      return Date.parse(String(text).replace(" ", "T") + "Z");
    };
    var wanted = at(point.x);
    var column = trace.x.findIndex(function (x, number) {
      return at(x) <= wanted && wanted < at(trace.x[number + 1]);
    });
    return trace.customdata[point.y] && trace.customdata[point.y][column];
  }

  function state(paused) {
    var age = Date.now() - lastBeat;
    if (paused) return ["paused", "Updates are paused: click to resume"];
    if (lastBeat && age < LATE_MS) return ["live", "Changes appear as they happen: click to pause"];
    if (!lastBeat && Date.now() - opened < LATE_MS) return ["connecting", "Opening the live socket"];
    if (!lastBeat) return ["polling", "The live socket was refused: asking every 5 s instead"];
    return ["reconnecting", "The live socket was lost: asking every 5 s meanwhile"];
  }

  /* Keeps a row where it is on the screen until it has opened or closed, as those above it may. */
  function hold(row) {
    var within = row.closest("#reads");
    var selector = '[data-read="' + row.dataset.read + '"]';
    var was = row.className;
    var top = row.getBoundingClientRect().top;
    var watch = new MutationObserver(function () {
      var now = within.querySelector(selector);
      if (!now) return;
      window.scrollBy({ top: now.getBoundingClientRect().top - top, behavior: "instant" });
      if (now.className !== was) setTimeout(release, SETTLE_MS);
    });
    var release = function () {
      watch.disconnect();
    };
    watch.observe(within, { attributes: true, childList: true, subtree: true });
    window.addEventListener("wheel", release, { once: true, passive: true });
    setTimeout(release, HOLD_MS);
  }

  /* Links of the UI go to the top of the page; one that opens something below itself must not. */
  document.addEventListener("click", function (event) {
    var link = event.target.closest ? event.target.closest("a[data-in-place]") : null;
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    hold(link.closest("[data-read]"));
    go(new URL(link.href).search, false);
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("[data-copy]") : null;
    if (!button) return;
    var done = function () {
      button.textContent = "Copied";
      setTimeout(function () {
        button.textContent = "Copy";
      }, 1500);
    };
    if (navigator.clipboard) navigator.clipboard.writeText(button.dataset.copy).then(done);
    else window.getSelection().selectAllChildren(button.previousElementSibling);
  });

  /* React takes a value that is set as its own only where the setter of the element was used. */
  function fill(field, text) {
    var kind = field.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function field(name) {
    return document.getElementById("silence-" + name);
  }

  function say(place, text, isWrong) {
    if (!place) return;
    place.textContent = text;
    place.className = isWrong ? "said said-wrong" : "said";
  }

  /* Where the answer to a button is told. A live page may have drawn its card anew meanwhile. */
  function besides(act, on) {
    var at = '[data-act="' + act + '"][data-on="' + CSS.escape(on) + '"]';
    return function () {
      var button = document.querySelector(at);
      return button && button.parentElement.querySelector(".said");
    };
  }

  /* Asks the API to change something; the page itself follows by what is written then. */
  function change(method, path, body, where, done) {
    var base = field("form").dataset.api;
    var asked = { method: method, headers: { "content-type": "application/json" } };
    if (body) asked.body = JSON.stringify(body);
    say(where(), "…", false);
    fetch(base + path, asked).then(
      function (answer) {
        return answer.json().then(function (said) {
          say(where(), answer.ok ? done : said.detail, !answer.ok);
        });
      }
    ).catch(function () {
      say(where(), "The server cannot be reached.", true);
    });
  }

  function matcher(line) {
    var read = /^\s*([^\s=!~]+)\s*(=~|!~|!=|=)\s*([\s\S]*?)\s*$/.exec(line);
    if (!read) throw new Error(line + ": expected name=value, name!=value, name=~regex or !~");
    var value = read[3].charAt(0) === '"' ? JSON.parse(read[3]) : read[3];
    return { name: read[1], op: read[2], value: value };
  }

  function lasting(text) {
    var read = /^\s*(\d+)\s*(m|h|d)\s*$/.exec(text);
    if (!read) throw new Error(text + ": expected a duration such as 30m, 2h or 7d");
    return Number(read[1]) * { m: 60000, h: 3600000, d: 86400000 }[read[2]];
  }

  function remembersName() {
    var name = field("creator");
    try {
      if (name.value) localStorage.setItem("stalewatch-name", name.value);
      else fill(name, localStorage.getItem("stalewatch-name") || "");
    } catch (refused) {
      /* It is then typed again. */
    }
    return name.value;
  }

  document.addEventListener("submit", function (event) {
    if (event.target.id !== "silence-form") return;
    event.preventDefault();
    var place = field("said");
    try {
      var lines = field("matchers").value.split("\n").filter(function (line) {
        return line.trim();
      });
      var body = {
        matchers: lines.map(matcher),
        comment: field("comment").value,
        ends_at: new Date(Date.now() + lasting(field("for").value)).toISOString(),
      };
      var name = remembersName();
      if (name) body.creator = name;
      change("POST", "silences", body, field.bind(null, "said"), "Silenced.");
    } catch (wrong) {
      say(place, wrong.message, true);
    }
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("[data-act]") : null;
    if (!button) return;
    var act = button.dataset.act;
    var on = button.dataset.on;
    if (act === "silence") {
      field("box").open = true;
      fill(field("matchers"), on);
      remembersName();
      field("comment").focus();
      return;
    }
    var where = besides(act, on);
    if (act === "end") change("DELETE", "silences/" + encodeURIComponent(on), null, where, "Ended.");
    if (act === "ack") {
      var name = remembersName();
      if (!name) {
        field("box").open = true;
        field("creator").focus();
      }
      var body = name ? { by: name } : {};
      change("POST", "alerts/" + encodeURIComponent(on) + "/ack", body, where, "Acknowledged.");
    }
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.stalewatch = {
    view: function (path, search, themeNow, paused) {
      if (!path || !themeNow) return skip();
      return { path: path, search: search || "", theme: themeNow, paused: !!paused };
    },

    controls: function (path, search) {
      var query = new URLSearchParams(search || "");
      var named = query.get("range") || DEFAULT_RANGE;
      var range = query.get("from") && query.get("to") ? "" : named;
      var page = (/\/(key|invalidation|drift|coverage|nodes|objective|report|alerts|catalogue)s?(\/|$)/.exec(path || "") || [])[1];
      var tab = function (name) {
        return page === name ? "nav-link nav-here" : "nav-link";
      };
      return [
        !RANGES[range] && range ? DEFAULT_RANGE : range,
        query.get("keyspace"),
        query.get("layer"),
        tab(undefined),
        tab("key"),
        tab("invalidation"),
        tab("drift"),
        tab("coverage"),
        tab("nodes"),
        tab("objective"),
        tab("report"),
        tab("alerts"),
        tab("catalogue"),
      ];
    },

    filter: function (range, keyspace, layer) {
      var changes = { keyspace: keyspace, layer: layer };
      if (range) {
        changes.range = range === DEFAULT_RANGE ? null : range;
        changes.from = changes.to = null;
      }
      go(changed(changes), false);
      return skip();
    },

    custom: function (clicks, from, to) {
      if (!clicks || !from || !to) return skip();
      var text = [from, to].sort().map(function (each) {
        return each.replace(" ", "T");
      });
      go(changed({ from: text[0], to: text[1], range: null }), false);
      return skip();
    },

    asked: function (clicks) {
      if (!clicks) return [skip(), skip()];
      var query = new URLSearchParams(window.location.search);
      var text = function (at) {
        return new Date(at).toISOString().slice(0, 19).replace("T", " ");
      };
      var from = Date.parse(query.get("from") + "Z");
      var to = Date.parse(query.get("to") + "Z");
      if (from < to) return [text(from), text(to)];
      var seconds = RANGES[query.get("range")] || RANGES[DEFAULT_RANGE];
      return [text(Date.now() - 1000 * seconds), text(Date.now())];
    },

    search: function (typed) {
      if (typeof typed === "string") go(changed({ q: typed }), true);
      return skip();
    },

    square: function (click, figure) {
      var point = click && click.points && click.points[0];
      var data = point && (point.customdata || inGrid(point, figure));
      if (!data || !data.length) return skip();
      go(changed({ layer: data[1], node: data[2], from: data[3], to: data[4], range: null }), false);
      return skip();
    },

    theme: function (clicks) {
      var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
      var before = theme || remembered();
      if (before !== "light" && before !== "dark") before = dark ? "dark" : "light";
      theme = clicks ? (before === "dark" ? "light" : "dark") : before;
      if (clicks) remember(theme);
      document.documentElement.setAttribute("data-ag-theme-mode", theme);
      return [theme, theme];
    },

    pause: function (clicks) {
      return !!(clicks && clicks % 2);
    },

    beat: function () {
      lastBeat = Date.now();
      return skip();
    },

    badge: function (ticks, paused, polls) {
      var said = state(paused);
      var poll = skip();
      var lost = said[0] === "polling" || said[0] === "reconnecting";
      if (lost && Date.now() - lastPoll > POLL_MS) {
        lastPoll = Date.now();
        poll = (polls || 0) + 1;
      }
      if (said[0] === "reconnecting" && Date.now() - lastBeat > RELOAD_MS) reloadWhenBack();
      return [said[0], "live live-" + said[0], said[1], poll];
    },

    zone: function () {
      var minutes = -new Date().getTimezoneOffset();
      var sign = minutes < 0 ? "−" : "+";
      var hours = Math.floor(Math.abs(minutes) / 60);
      var rest = String(Math.abs(minutes) % 60).padStart(2, "0");
      return "All times are UTC; your clock is UTC" + sign + hours + ":" + rest;
    },

    title: function (title) {
      if (title) document.title = title;
      return skip();
    },
  };
})();
