// A network as a picture. The page holds the same as a table, so that nothing is lost without this.
(() => {
  "use strict";
  document.querySelectorAll("[data-network]").forEach((place) => {
    const kinds = JSON.parse(place.dataset.kinds);
    const at = Object.fromEntries(kinds.map((kind, index) => [kind.id, index]));
    const pages = {};
    const nodes = JSON.parse(place.dataset.nodes).map((node) => {
      pages[node.id] = node.page;
      return {
        id: node.id, name: node.name, category: at[node.category],
        symbolSize: node.depth === 0 ? 44 : 30 - 4 * node.depth,
        itemStyle: node.again ? { borderColor: "#b3261e", borderWidth: 3 } : {},
        label: { show: true, formatter: node.name.length > 12 ? `${node.name.slice(0, 11)}…` : node.name },
      };
    });
    const links = JSON.parse(place.dataset.edges).map((edge) => ({
      source: edge.source, target: edge.target,
      lineStyle: { type: edge.stated ? "solid" : "dashed" },
      label: { show: true, formatter: edge.name, fontSize: 11 },
    }));
    place.classList.add("dc-network-drawn");
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption({
      animation: false,
      color: ["#1f5fa8", "#a85a00", "#4a6b2f", "#6a3d8f"],
      legend: { data: kinds.map((kind) => kind.name), top: 0, type: "scroll", textStyle: { fontSize: 14 } },
      tooltip: { renderMode: "richText", confine: true },
      series: [{
        type: "graph", layout: "force", roam: true, top: 40, data: nodes, links,
        categories: kinds.map((kind) => ({ name: kind.name })),
        force: { repulsion: 260, edgeLength: [70, 150], layoutAnimation: false },
        label: { position: "bottom", fontSize: 13, color: "#1d2730" },
        lineStyle: { color: "#667", width: 1.4 }, emphasis: { focus: "adjacency" },
      }],
    });
    chart.on("click", (event) => { if (event.dataType === "node" && pages[event.data.id]) location.href = pages[event.data.id]; });
    addEventListener("resize", () => chart.resize());
  });
})();
