const counted = document.querySelector(".counted");
const output = document.querySelector(".counted-words");

counted.addEventListener("broadsheet:search", (event) => {
  output.textContent = `asked for: ${event.detail.q}`;
});
counted.addEventListener("broadsheet:select", (event) => {
  event.preventDefault();
  output.textContent = `chosen: ${event.detail.result?.title ?? "all results"}`;
});
