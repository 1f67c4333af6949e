// An element with data-ha-refresh="seconds" is fetched anew, from the page's own address, while somebody looks at the page. Nothing is
// replaced while somebody is asked something, writes or selects text in it, nor where the answer is another page (a login, an error).
(function () {
  "use strict";
  const FOCUSABLE = "a[href], button, summary, input, select, textarea";

  function later(element) {
    const seconds = Number(element.getAttribute("data-ha-refresh"));
    if (seconds > 0) {
      setTimeout(() => refresh(element), seconds * 1000);
    }
  }

  function inUse(element) {
    const active = document.activeElement;
    const selection = document.getSelection();
    return (
      document.querySelector("dialog[open]") !== null ||
      (element.contains(active) && active.matches("input, select, textarea")) ||
      (!selection.isCollapsed && element.contains(selection.anchorNode))
    );
  }

  // Where the focus is: which row, and which of the things in it that can have it.
  function focusIn(element) {
    const active = document.activeElement;
    if (!element.contains(active)) {
      return () => {};
    }
    const row = active.closest("tr[id]");
    const at = Array.from((row || element).querySelectorAll(FOCUSABLE)).indexOf(active);
    return (fresh) => {
      const within = row ? document.getElementById(row.id) : fresh;
      const same = within && within.querySelectorAll(FOCUSABLE)[at];
      if (same) {
        same.focus({ preventScroll: true });
      }
    };
  }

  async function refresh(element) {
    if (!document.hidden && !inUse(element)) {
      try {
        const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = answer.ok && page.getElementById(element.id);
        if (fresh && !inUse(element)) {
          element.querySelectorAll("details[open][id]").forEach((open) => {
            const same = page.getElementById(open.id);
            if (same) {
              same.open = true;
            }
          });
          const focus = focusIn(element);
          element.replaceWith(document.adoptNode(fresh));
          Behaviour.applySubtree(fresh, true);
          focus(fresh);
          later(fresh);
          return;
        }
      } catch (e) {
        // the controller is away for a moment: the next round looks again
      }
    }
    later(element);
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-ha-refresh]").forEach(later));
})();
