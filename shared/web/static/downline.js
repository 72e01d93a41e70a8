// The network as a tree. The page holds the same as a list, so that nothing is lost without this.
(() => {
  "use strict";
  document.querySelectorAll("[data-tree]").forEach((place) => {
    const shape = (one) => ({
      name: one.label, value: one.heads, no: one.no,
      children: one.children.map(shape).concat(one.more ? [{ name: `+${one.more}`, value: one.more }] : []),
    });
    const roots = JSON.parse(place.dataset.tree).map(shape);
    place.classList.add("dc-chart-drawn");
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption({
      animation: false,
      tooltip: { trigger: "item", renderMode: "richText", confine: true, formatter: (at) => `${at.name}: ${at.value}` },
      series: [{
        type: "tree", data: [roots.length === 1 ? roots[0] : { name: place.dataset.title, children: roots }],
        top: 16, bottom: 16, left: 90, right: 120, roam: true, initialTreeDepth: 2, symbolSize: 9,
        label: { position: "left", align: "right", verticalAlign: "middle", fontSize: 13, formatter: (at) => `${at.name} ${at.value ?? ""}` },
        leaves: { label: { position: "right", align: "left" } },
      }],
    });
    chart.on("dblclick", (at) => { if (at.data.no) location.assign(place.dataset.case + at.data.no); });
    addEventListener("resize", () => chart.resize());
  });
})();
