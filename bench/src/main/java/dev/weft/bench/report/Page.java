// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import dev.weft.DeviceKind;
import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A run as one HTML file that needs no other and no network. Chart.js draws its plots. */
public final class Page {
  // "<" is written as an escape, so that no text can end the script element that it stands in
  private static final Gson GSON = new GsonBuilder().create();

  private static final Pattern MARK =
      Pattern.compile("/\\*(STYLE|PLOTS|CHART|SCRIPT)\\*/|<!--BODY-->");

  private static final int TILES = 8;

  private final Results results;
  private final Tables tables;
  private final Plots plots;
  private final List<PagePlot> drawn = new ArrayList<>();

  /** Of a run. */
  public Page(Results results) {
    this.results = results;
    this.tables = new Tables(results);
    this.plots = new Plots(results);
  }

  /** Writes the file, in place of what it was before, which stays where writing fails. */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, html());
  }

  /** The page. */
  public String html() {
    StringBuilder body = new StringBuilder();
    head(body);
    section(body, "steps", "Training steps", plots.of(Part.STEPS), tables.of(Part.STEPS));
    section(body, "compare", "CPU beside GPU", plots.compare(), List.of(tables.compare()));
    section(body, "scaling", "Scaling", plots.of(Part.SCALING), tables.of(Part.SCALING));
    section(body, "kernels", "Kernels", plots.of(Part.KERNELS), tables.of(Part.KERNELS));
    section(body, "ceilings", "Ceilings", plots.of(Part.CEILINGS), tables.of(Part.CEILINGS));
    section(body, "host", "Host cost", plots.of(Part.HOST), tables.of(Part.HOST));
    missing(body);
    Map<String, String> contents =
        Map.of(
            "/*STYLE*/", resource("page.css"),
            "<!--BODY-->", body.toString(),
            "/*PLOTS*/", GSON.toJson(drawn),
            "/*CHART*/", chart(),
            "/*SCRIPT*/", resource("page.js"));
    // in one pass: what stands in for a mark may contain another
    return MARK.matcher(resource("page.html"))
        .replaceAll(mark -> Matcher.quoteReplacement(contents.get(mark.group())));
  }

  /** What is not there, after what is. */
  private void missing(StringBuilder body) {
    boolean alone = tables.compare().isEmpty();
    if (!alone && results.missing().isEmpty()) {
      return;
    }
    body.append("<section id=\"missing\"><h2>Not measured</h2>\n");
    if (alone) {
      String why =
          results.missing().stream()
              .filter(one -> one.what().equals(Missing.GPU))
              .map(Missing::why)
              .findFirst()
              .orElse("this run measured only one device.");
      body.append("<p class=\"missing\">There is no GPU side to compare with: ")
          .append(Html.escape(why))
          .append("</p>\n");
    }
    for (Missing one : results.missing()) {
      body.append(
          format(
              "<p class=\"missing\"><strong>%s: not measured.</strong> %s</p>\n",
              Html.escape(one.what()), Html.escape(one.why())));
    }
    body.append("</section>\n");
  }

  private void head(StringBuilder body) {
    Machine machine = results.machine();
    body.append(
        format(
            "<header><h1>weft bench</h1><p class=\"when\">%s</p>\n", Html.escape(results.date())));
    body.append("<dl>");
    term(body, "Processor", machine.text());
    for (Machine.Described device : machine.devices()) {
      if (DeviceKind.of(device.name()) != DeviceKind.CPU) {
        term(body, device.name(), device.description());
      }
    }
    term(body, "Memory", format("%.1f GiB, %s", machine.memoryGib(), machine.system()));
    term(body, "Load", results.loads());
    term(body, "Versions", results.versionsMeasured().toString().replaceAll("[{}]", ""));
    term(body, "Command", results.command());
    body.append("</dl></header>\n");
    headlines(body);
  }

  private static void term(StringBuilder body, String name, String text) {
    body.append(format("<dt>%s</dt><dd>%s</dd>", Html.escape(name), Html.escape(text)));
  }

  /** The ratios of steps in large figures. */
  private void headlines(StringBuilder body) {
    StringBuilder tiles = new StringBuilder();
    List<Measurement> peers =
        results.where(one -> one.part() == Part.STEPS && !one.isWeft()).stream()
            .limit(TILES)
            .toList();
    for (Measurement peer : peers) {
      tables
          .twin(peer, Measurement.WEFT, peer.mode(), peer.device())
          .ifPresent(
              weft ->
                  tiles.append(
                      format(
                          "<li><b>%.1fx</b><span>%s, %s</span><small>%s on %s / %s</small></li>\n",
                          Ratio.of(peer, weft).median(),
                          Html.escape(peer.group()),
                          Html.escape(peer.name()),
                          Html.escape(peer.who()),
                          Html.escape(peer.device()),
                          Html.escape(weft.who()))));
    }
    if (!tiles.isEmpty()) {
      body.append("<ul class=\"tiles\">\n").append(tiles).append("</ul>\n");
    }
  }

  private void section(
      StringBuilder body, String id, String title, List<PagePlot> shown, List<Table> beside) {
    List<Table> filled = beside.stream().filter(table -> !table.isEmpty()).toList();
    if (shown.isEmpty() && filled.isEmpty()) {
      return;
    }
    body.append(format("<section id=\"%s\"><h2>%s</h2>\n<div class=\"plots\">\n", id, title));
    for (PagePlot plot : shown) {
      drawn.add(plot.finite());
      body.append(
          format(
              """
              <figure class="%s">
              <figcaption><h3>%s</h3><p>%s</p></figcaption>
              <div class="canvas" style="--bars:%d">
              <canvas id="%s" role="img" aria-label="%s"></canvas></div>
              </figure>
              """,
              plot.kind().name().toLowerCase(ROOT),
              Html.escape(plot.title()),
              Html.escape(plot.caption()),
              bars(plot),
              plot.id(),
              Html.escape(plot.title())));
    }
    body.append("</div>\n");
    for (Table table : filled) {
      body.append(
          format(
              "<details><summary>%s</summary><div class=\"scroll\">\n",
              Html.escape(table.title())));
      body.append(table.html()).append("</div></details>\n");
    }
    body.append("</section>\n");
  }

  /** How many bars the plot has below one another. */
  private static int bars(PagePlot plot) {
    return plot.categories().size() * Math.max(1, plot.series().size());
  }

  /** Without its last line, which asks the browser for another file. */
  private static String chart() {
    return resource("chart.umd.min.js")
        .replaceFirst("(?m)^//# sourceMappingURL.*$", "")
        .replace("</script", "<\\/script");
  }

  private static String resource(String name) {
    try (InputStream in = Page.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not beside " + Page.class.getName());
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("cannot read " + name, e);
    }
  }
}
