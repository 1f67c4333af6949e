// An element with data-ha-refresh="seconds" is fetched anew, from the page's own address, while somebody looks at the page. Nothing is
// replaced while the focus is inside it, nor where the answer is another page (a login, an error).
(function () {
  "use strict";
  function later(element) {
    const seconds = Number(element.getAttribute("data-ha-refresh"));
    if (seconds > 0) {
      setTimeout(() => refresh(element), seconds * 1000);
    }
  }
  async function refresh(element) {
    if (!document.hidden && !element.contains(document.activeElement)) {
      try {
        const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = answer.ok && page.getElementById(element.id);
        if (fresh) {
          element.replaceWith(document.adoptNode(fresh));
          Behaviour.applySubtree(fresh, true);
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
