// SPDX-License-Identifier: Apache-2.0
"use strict";
// Draws every plot of the list with Chart.js, in the colours of the day or of the night.
const plots = JSON.parse(document.getElementById("plots").textContent);
const night = matchMedia("(prefers-color-scheme: dark)");

// one colour a side, the same in every plot: [day, night]
const palette = {
  "Weft STRICT": ["#1f6feb", "#6cb0ff"],
  "Weft FAST": ["#0f9d8a", "#3fd0bb"],
  "Weft BF16": ["#7a4fd0", "#b295f5"],
  "Weft STRICT gpu": ["#0b3d91", "#a9d0ff"],
  "Weft FAST gpu": ["#06614f", "#8cebdd"],
  "Weft BF16 gpu": ["#4b2a99", "#d3c3fb"],
  "DJL STRICT": ["#e2711d", "#ff9f56"],
  "TensorFlow STRICT": ["#c79a00", "#f2cf4a"],
  "DJL STRICT gpu": ["#9c4708", "#ffc799"],
  "cpu": ["#1f6feb", "#6cb0ff"],
  "cuda:0": ["#0f9d8a", "#3fd0bb"],
  "memory": ["#1f6feb", "#6cb0ff"],
  "cache": ["#5b6b7b", "#aab8c6"],
};
const others = [
  ["#1f6feb", "#6cb0ff"], ["#0f9d8a", "#3fd0bb"], ["#7a4fd0", "#b295f5"], ["#e2711d", "#ff9f56"],
  ["#c79a00", "#f2cf4a"], ["#c2306a", "#ff86b4"], ["#5b6b7b", "#aab8c6"], ["#3d8b1f", "#8fd470"],
];
const given = new Map();
function colour(key) {
  let pair = palette[key] ?? given.get(key);
  if (!pair) {
    pair = others[given.size % others.length];
    given.set(key, pair);
  }
  return pair[night.matches ? 1 : 0];
}

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// 1234567 as 1.2M, 0.00012 as 1.2e-4
function short(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e9) return trim(value / 1e9) + "G";
  if (size >= 1e6) return trim(value / 1e6) + "M";
  if (size >= 1e4) return trim(value / 1e3) + "k";
  if (size >= 0.01) return trim(value);
  return value.toExponential(0);
}
function trim(value) {
  return String(Number(value.toPrecision(3)));
}

// whiskers from low to high on every point that has both
const whiskers = {
  id: "whiskers",
  afterDatasetsDraw(chart) {
    const { ctx, scales } = chart;
    const across = chart.options.indexAxis === "y";
    chart.data.datasets.forEach((set, s) => {
      if (!chart.isDatasetVisible(s)) return;
      chart.getDatasetMeta(s).data.forEach((element, i) => {
        const point = set.points[i];
        if (!point || point.low == null || point.high == null || point.low === point.high) return;
        const scale = across ? scales.x : scales.y;
        const from = scale.getPixelForValue(Math.max(point.low, scale.min));
        const to = scale.getPixelForValue(Math.min(point.high, scale.max));
        ctx.save();
        ctx.strokeStyle = css("--ink");
        ctx.globalAlpha = 0.55;
        ctx.lineWidth = 1;
        ctx.beginPath();
        const tick = 3;
        if (across) {
          ctx.moveTo(from, element.y); ctx.lineTo(to, element.y);
          ctx.moveTo(from, element.y - tick); ctx.lineTo(from, element.y + tick);
          ctx.moveTo(to, element.y - tick); ctx.lineTo(to, element.y + tick);
        } else {
          ctx.moveTo(element.x, from); ctx.lineTo(element.x, to);
          ctx.moveTo(element.x - tick, from); ctx.lineTo(element.x + tick, from);
          ctx.moveTo(element.x - tick, to); ctx.lineTo(element.x + tick, to);
        }
        ctx.stroke();
        ctx.restore();
      });
    });
  },
};

// a line across the bars at the value that they are compared with
const reference = {
  id: "reference",
  afterDatasetsDraw(chart) {
    const at = chart.options.plugins.reference?.at;
    if (at == null) return;
    const { ctx, chartArea, scales } = chart;
    if (at < scales.x.min || at > scales.x.max) return;
    const x = scales.x.getPixelForValue(at);
    ctx.save();
    ctx.strokeStyle = css("--ink");
    ctx.setLineDash([5, 4]);
    ctx.lineWidth = 1.2;
    ctx.beginPath();
    ctx.moveTo(x, chartArea.top);
    ctx.lineTo(x, chartArea.bottom);
    ctx.stroke();
    ctx.restore();
  },
};

function axis(spec, extra) {
  const logarithmic = spec.scale === "LOGARITHMIC";
  return {
    type: logarithmic ? "logarithmic" : "linear",
    title: { display: spec.label !== "", text: spec.label, color: css("--quiet") },
    grid: { color: css("--line") },
    border: { color: css("--line") },
    ticks: {
      color: css("--quiet"),
      maxRotation: 0,
      autoSkipPadding: 14,
      callback(value) {
        if (extra.afterBuildTicks && value < 1e5) return String(value);
        if (logarithmic && (value === this.min || value === this.max)) return "";
        if (!logarithmic || extra.afterBuildTicks) return short(value);
        // the more decades, the fewer numbers in each
        const span = this.max / this.min;
        const named = span < 20 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : span < 1e4 ? [1, 2, 5] : [1];
        const lead = Number(Number(value.toExponential().split("e")[0]).toFixed(6));
        return named.includes(lead) ? short(value) : "";
      },
    },
    ...extra,
  };
}

// Where few values were measured, the axis names those and no others.
function measured(plot) {
  const all = plot.series.flatMap((s) => s.points.map((p) => p.x));
  const values = [...new Set(all)].sort((a, b) => a - b);
  const apart = values.every((x, i) => i === 0 || x > 1.2 * values[i - 1]);
  const few = values.length >= 1 && values.length <= 10;
  if (!few || !apart || plot.id.startsWith("roofline")) return {};
  return {
    min: values[0] / (values.length === 1 ? 2 : 1.15),
    max: values.at(-1) * (values.length === 1 ? 2 : 1.15),
    afterBuildTicks(scale) {
      scale.ticks = values.map((value) => ({ value }));
    },
  };
}

// Points stay clear of the frame.
function clear(plot) {
  if (plot.y.scale === "LINEAR") return {};
  const points = plot.series.flatMap((s) => s.points);
  const values = points.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]);
  return { min: Math.min(...values) / 1.3, max: Math.max(...values) * 1.3 };
}

// Bars on a logarithmic axis start well below the shortest one and below what they are compared
// with.
function room(plot) {
  if (plot.x.scale === "LINEAR") return { beginAtZero: true };
  const lengths = plot.series.flatMap((s) => s.points.map((p) => p.y));
  const values = lengths.concat(plot.x.reference ?? []);
  return { min: Math.min(...values) / 2, max: Math.max(...values) * 1.6 };
}

function lines(plot) {
  return {
    type: "scatter",
    data: {
      datasets: plot.series.map((series) => {
        const gpu = /cuda/.test(series.name);
        return {
          label: series.name,
          points: series.points,
          data: series.points.map((p) => ({ x: p.x, y: p.y })),
          borderColor: colour(series.key),
          backgroundColor: colour(series.key),
          showLine: series.style !== "POINTS",
          borderDash: series.style === "DASHED" ? [6, 4] : [],
          borderWidth: series.style === "DASHED" ? 1.5 : 2,
          pointRadius: series.style === "DASHED" ? 0 : 4,
          pointHoverRadius: 6,
          pointStyle: series.style === "DASHED" ? "line" : gpu ? "triangle" : "circle",
        };
      }),
    },
    options: {
      scales: { x: axis(plot.x, measured(plot)), y: axis(plot.y, clear(plot)) },
    },
  };
}

function bars(plot) {
  return {
    type: "bar",
    data: {
      labels: plot.categories,
      datasets: plot.series.map((series) => {
        const at = (place) => series.points.find((p) => p.x === place) ?? null;
        const points = plot.categories.map((_, place) => at(place));
        return {
          label: series.name,
          points,
          data: points.map((p) => p?.y ?? null),
          backgroundColor: colour(series.key),
          borderRadius: 2,
          maxBarThickness: 18,
          categoryPercentage: 0.8,
          barPercentage: 0.9,
          skipNull: true,
        };
      }),
    },
    options: {
      indexAxis: "y",
      scales: {
        x: axis(plot.x, room(plot)),
        y: {
          grid: { display: false },
          border: { color: css("--line") },
          ticks: {
            color: css("--ink"),
            autoSkip: false,
            callback(value) {
              const text = this.getLabelForValue(value);
              return this.chart.width < 520 && text.includes(", ") ? text.split(", ") : text;
            },
          },
        },
      },
      plugins: { reference: { at: plot.x.reference ?? null } },
    },
  };
}

let charts = [];
function draw() {
  charts.forEach((chart) => chart.destroy());
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  charts = plots.map((plot) => {
    const config = plot.kind === "BARS" ? bars(plot) : lines(plot);
    config.plugins = [whiskers, reference];
    Object.assign(config.options, {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      plugins: {
        ...config.options.plugins,
        legend: {
          display: plot.series.length > 1,
          position: "bottom",
          labels: { color: css("--ink"), usePointStyle: true, boxHeight: 7, padding: 14 },
        },
        tooltip: {
          callbacks: {
            label: (item) => item.dataset.points[item.dataIndex]?.label ?? "",
          },
        },
      },
    });
    return new Chart(document.getElementById(plot.id), config);
  });
}
draw();
night.addEventListener("change", draw);
