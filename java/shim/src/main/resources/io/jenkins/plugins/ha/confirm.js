// A button with data-ha-confirm sends its form once its question is answered with yes; data-ha-confirm-message says more.
(function () {
  "use strict";
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-ha-confirm]");
    if (!button) {
      return;
    }
    event.preventDefault();
    dialog.confirm(button.dataset.haConfirm, { message: button.dataset.haConfirmMessage || "" }).then(
      () => button.form.requestSubmit(button),
      () => {},
    );
  });
})();
