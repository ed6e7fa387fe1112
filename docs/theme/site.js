"use strict";
// What the theme leaves to be done for who uses the site by keyboard or by ear.
(() => {
  const fit = () => {
    for (const wide of document.querySelectorAll("pre > code, .md-typeset__scrollwrap")) {
      // Only what is wider than its place is a stop of the tabulator: it is scrolled by the arrow keys.
      if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
      else wide.removeAttribute("tabindex");
    }
    // The bar of a copy button is no way around the page.
    for (const bar of document.querySelectorAll("nav.md-code__nav")) bar.setAttribute("role", "none");
  };
  let waiting = 0;
  const soon = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(fit);
  };
  addEventListener("resize", soon);
  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  soon();
})();
