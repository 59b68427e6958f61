// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageTest {
  private static final Pattern PLOTS =
      Pattern.compile("<script type=\"application/json\" id=\"plots\">(.*?)</script>");

  private static List<PagePlot> plots(String html) {
    Matcher matcher = PLOTS.matcher(html);
    assertTrue(matcher.find(), "the plots are in the page");
    return new Gson().fromJson(matcher.group(1), new TypeToken<List<PagePlot>>() {});
  }

  private static List<String> names(List<PagePlot> plots) {
    return plots.stream()
        .flatMap(plot -> plot.series().stream())
        .map(PagePlot.Series::name)
        .toList();
  }

  @Test
  void everySideAndDeviceIsASeries() {
    List<PagePlot> plots = plots(new Page(SampleResults.withGpu()).html());
    List<String> names = names(plots);
    for (String device : List.of("cpu", "cuda:0")) {
      for (String who : List.of("Weft STRICT", "Weft FAST", "DJL STRICT")) {
        assertTrue(names.contains(who + ", " + device), () -> who + device + " in " + names);
      }
    }
    assertTrue(names.contains("DJL STRICT / Weft FAST"), names.toString());
    assertTrue(names.contains("Weft STRICT, cpu, line"), names.toString());
    List<String> ids = plots.stream().map(PagePlot::id).toList();
    assertEquals(ids.size(), new TreeSet<>(ids).size(), "every plot has an id of its own");
    Stream.of("compare-steps", "roofline-cpu", "roofline-cuda0", "kernels-memory", "gemm")
        .forEach(id -> assertTrue(ids.contains(id), () -> id + " in " + ids));
  }

  @Test
  void everyPlotHasItsPlace() {
    String html = new Page(SampleResults.withGpu()).html();
    for (PagePlot plot : plots(html)) {
      assertTrue(html.contains("<canvas id=\"" + plot.id() + "\""), plot.id());
    }
  }

  @Test
  void withoutAGpuThePageSaysWhy() {
    String html = new Page(SampleResults.withoutGpu()).html();
    String why = Html.escape(SampleResults.NO_GPU);
    assertTrue(html.contains("GPU: not measured.</strong> " + why));
    assertTrue(html.contains("There is no GPU side to compare with: " + why));
    assertTrue(names(plots(html)).contains("Weft STRICT, cpu"));
    assertFalse(html.contains("cuda:0,"), "nothing of a GPU that is not there");
    assertFalse(new Page(SampleResults.withGpu()).html().contains("There is no GPU side"));
  }

  @Test
  void thePageNeedsNothingElse() {
    String html = new Page(SampleResults.withGpu()).html();
    assertTrue(html.contains("Chart.js v"), "the library is inside, and says its licence");
    Matcher fetching =
        Pattern.compile("<(script|link|img|iframe)\\b[^>]*\\b(src|href)=|@import|sourceMappingURL")
            .matcher(html);
    assertFalse(fetching.find(), () -> "fetches: " + fetching.group());
  }

  @Test
  void textCannotBecomeMarkup() {
    Results results = SampleResults.withoutGpu();
    results.add(new Missing("</script><b>", "<i>because</i>"));
    results.add(
        SampleResults.measured(
            Part.STEPS, "</script>", "batch 1", 1, "Weft", "STRICT", "cpu", 5, 0, 10));
    String html = new Page(results).html();
    assertFalse(html.contains("<i>because"));
    assertFalse(html.contains("<b></script>"));
    long ends = Pattern.compile("</script>").matcher(html).results().count();
    assertEquals(3, ends, "as many as the page has scripts");
  }

  /** A reader wants what there is; what is missing stands at the end. */
  @Test
  void whatIsMissingStandsAfterAllThatWasMeasured() {
    Results results = SampleResults.withoutGpu();
    results.add(new Missing("The rest of steps", "steps: 1 of 9, then --minutes were over"));
    String html = new Page(results).html();
    int first = html.indexOf("class=\"missing\"");
    assertTrue(first > html.lastIndexOf("<figure"), "after the last plot");
    assertTrue(first > html.lastIndexOf("<table"), "after the last table");
    assertTrue(html.indexOf("id=\"steps\"") < html.indexOf("id=\"ceilings\""));
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, 0})
  void aNumberThatIsNoneIsNotDrawnAndCostsNoOther(double time) {
    Results results = SampleResults.withGpu();
    for (Part part : Part.values()) {
      results.add(
          SampleResults.measured(part, "net", "batch 7", 7, "Weft", "STRICT", "cpu", time, 9, 10));
      results.add(
          SampleResults.measured(part, "net", "batch 7", 7, "DJL", "STRICT", "cpu", time, 9, 10));
    }
    Matcher json = PLOTS.matcher(new Page(results).html());
    assertTrue(json.find());
    assertFalse(json.group(1).matches(".*[:,\\[](-?Infinity|NaN).*"), "JSON has no such numbers");
    List<PagePlot> plots = plots(new Page(results).html());
    assertTrue(plots.size() > 5);
    for (PagePlot plot : plots) {
      boolean bars = plot.kind() == PagePlot.Kind.BARS;
      if ((bars ? plot.x() : plot.y()).scale() == PagePlot.Scale.LOGARITHMIC) {
        plot.series().stream()
            .flatMap(one -> one.points().stream())
            .forEach(point -> assertTrue(point.y() > 0, plot::toString));
      }
    }
  }

  /** A mark of the page's template within a text stays that text. */
  @Test
  void textCannotBecomeAPartOfThePage() {
    Results results = SampleResults.withoutGpu();
    results.add(new Missing("/*SCRIPT*/", "it's /*PLOTS*/ <!--BODY--> $1 \\"));
    String html = new Page(results).html();
    assertTrue(html.contains("/*SCRIPT*/: not measured.</strong> it&#39;s /*PLOTS*/"), "as it is");
    assertTrue(html.contains("$1 \\</p>"));
    assertTrue(PLOTS.matcher(html).find());
  }
}
