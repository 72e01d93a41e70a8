// Bars over time. The page holds the same figures as a table, so that nothing is lost without this.
(() => {
  "use strict";
  document.querySelectorAll("[data-chart]").forEach((place) => {
    const starts = JSON.parse(place.dataset.starts);
    const names = JSON.parse(place.dataset.names);
    const values = JSON.parse(place.dataset.values);
    place.classList.add("dc-chart-drawn");
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption({
      animation: false,
      // the page says in words what the picture is, and holds its figures as a table
      aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
      grid: { left: 8, right: 8, top: 64, bottom: 8, containLabel: true },
      legend: { type: "scroll", top: 0, left: 0, textStyle: { fontSize: 14 } },
      tooltip: { trigger: "axis", renderMode: "richText", confine: true },
      xAxis: { type: "category", data: starts.map((day) => day.slice(2)), axisLabel: { fontSize: 13, hideOverlap: true } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { fontSize: 13 } },
      series: names.map((name, at) => ({ name, type: "bar", stack: "all", data: values[at] })),
    });
    addEventListener("resize", () => chart.resize());
  });
})();
