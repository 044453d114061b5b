// Buttons that copy a field; without scripts they stay hidden and the fields can be selected by hand.
document.querySelectorAll("[data-copy]").forEach((button) => {
  const field = document.getElementById(button.dataset.copy);
  const words = button.textContent;
  field.addEventListener("focus", () => field.select());
  // Absent outside secure contexts (https, or this very machine)
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      field.focus();
      return;
    }
    button.textContent = button.dataset.done;
    document.getElementById("copy-status").textContent = `${button.dataset.done}: ${button.getAttribute("aria-label")}`;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
});
