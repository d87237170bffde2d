// The page behind *Problems* on Airflow's first screen, as tall as it is, and Airflow's own below it.
// Airflow imports this, and takes the component under the name of the plugin's entry.
globalThis.Perennial = () =>
  globalThis.React.createElement("iframe", {
    src: new URL("perennial/problems", document.baseURI).href,
    title: "Problems",
    style: { border: 0, width: "100%", height: "12rem", maxHeight: "70vh" },
    onLoad: ({ target }) => {
      target.style.height = `${target.contentDocument.documentElement.scrollHeight}px`;
    },
  });
