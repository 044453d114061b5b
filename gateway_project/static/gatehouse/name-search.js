// The field to type in that Select2 puts beside a select has no name of its own (WCAG 4.1.2): it takes the select's.
// jQuery runs what waits for the document in the order it came: this after autocomplete.js, which makes the fields
django.jQuery(() => {
  document.querySelectorAll("select.admin-autocomplete").forEach((select) => {
    const search = select.nextElementSibling?.querySelector(".select2-search__field");
    const label = select.labels[0];
    if (search && label) search.setAttribute("aria-label", label.textContent.trim());
  });
});
