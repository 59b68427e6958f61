// SPDX-License-Identifier: Apache-2.0
package dev.weft.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.format.Markup;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** A picture as a program reads it. */
public final class Drawn {
  private static final double SLACK = 0.2; // pixels that rounding to one digit may take
  private static final Pattern STEP = Pattern.compile("([MLC])([^MLC]*)");

  /** A rectangle. */
  record Box(double left, double top, double right, double bottom) {
    boolean overlaps(Box other) {
      return left < other.right - SLACK
          && other.left < right - SLACK
          && top < other.bottom - SLACK
          && other.top < bottom - SLACK;
    }

    boolean holds(double[] point) {
      return point[0] > left + SLACK
          && point[0] < right - SLACK
          && point[1] > top + SLACK
          && point[1] < bottom - SLACK;
    }
  }

  private final Document document;

  private Drawn(Document document) {
    this.document = document;
  }

  /** Reads it as XML. */
  public static Drawn of(String svg) throws Exception {
    byte[] bytes = svg.getBytes(StandardCharsets.UTF_8);
    return new Drawn(
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(bytes)));
  }

  private static List<Element> all(NodeList nodes, String kind) {
    List<Element> found = new ArrayList<>();
    for (int i = 0; i < nodes.getLength(); i++) {
      Element element = (Element) nodes.item(i);
      if (List.of(element.getAttribute("class").split(" ")).contains(kind)) {
        found.add(element);
      }
    }
    return found;
  }

  /** The elements of a class. */
  public List<Element> all(String kind) {
    return all(document.getElementsByTagName("*"), kind);
  }

  /** The texts of a class. */
  public List<String> texts(String kind) {
    return all(document.getElementsByTagName("text"), kind).stream()
        .map(Element::getTextContent)
        .toList();
  }

  /** Such as {@code 3 + 4}: value, label, other lines and gradient of each node. */
  List<String> nodes() {
    List<String> nodes = new ArrayList<>();
    for (Element vertex : all("vertex")) {
      List<String> lines = new ArrayList<>();
      NodeList texts = vertex.getElementsByTagName("text");
      for (int i = 0; i < texts.getLength(); i++) {
        lines.add(texts.item(i).getTextContent());
      }
      nodes.add(String.join(" ", lines));
    }
    return nodes;
  }

  private static double number(Element element, String name) {
    return Double.parseDouble(element.getAttribute(name));
  }

  /** The boxes. */
  List<Box> boxes() {
    return all("box").stream()
        .map(
            box -> {
              double left = number(box, "x");
              double top = number(box, "y");
              return new Box(left, top, left + number(box, "width"), top + number(box, "height"));
            })
        .toList();
  }

  /** The boxes, and the texts above and below them at 7 pixels a letter. */
  List<Box> rooms() {
    List<Box> rooms = new ArrayList<>(boxes());
    for (String kind : List.of("value", "gradient")) {
      for (Element text : all(kind)) {
        if (text.hasAttribute("x")) {
          double half = 7 * Markup.columns(text.getTextContent()) / 2.0;
          double x = number(text, "x");
          double y = number(text, "y");
          rooms.add(new Box(x - half, y - 9, x + half, y + 1));
        }
      }
    }
    return rooms;
  }

  /** Points along each arrow. */
  List<List<double[]>> arrows() {
    List<List<double[]>> arrows = new ArrayList<>();
    for (Element edge : all("edge")) {
      List<double[]> points = new ArrayList<>();
      double[] at = new double[2];
      for (var step : STEP.matcher(edge.getAttribute("d")).results().toList()) {
        double[] v =
            Pattern.compile("[ ,]")
                .splitAsStream(step.group(2).strip())
                .mapToDouble(Double::parseDouble)
                .toArray();
        double[] last = {v[v.length - 2], v[v.length - 1]};
        for (int i = 0; i <= 20; i++) {
          double t = i / 20.0;
          double[] one = step.group(1).equals("C") ? new double[] {v[0], v[1]} : at;
          double[] two = step.group(1).equals("C") ? new double[] {v[2], v[3]} : last;
          points.add(bezier(step.group(1).equals("M") ? last : at, one, two, last, t));
        }
        at = last;
      }
      arrows.add(points);
    }
    return arrows;
  }

  private static double[] bezier(double[] a, double[] b, double[] c, double[] d, double t) {
    double s = 1 - t;
    double[] point = new double[2];
    for (int i = 0; i < 2; i++) {
      point[i] = s * s * s * a[i] + 3 * s * s * t * b[i] + 3 * s * t * t * c[i] + t * t * t * d[i];
    }
    return point;
  }

  /** What stands on what: pairs of boxes or texts, and arrows that run through a box. */
  List<String> collisions() {
    List<String> found = new ArrayList<>();
    List<Box> rooms = rooms();
    for (int i = 0; i < rooms.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (rooms.get(i).overlaps(rooms.get(j))) {
          found.add(rooms.get(i) + " and " + rooms.get(j));
        }
      }
    }
    for (Box box : boxes()) {
      for (List<double[]> arrow : arrows()) {
        if (arrow.stream().skip(22).limit(arrow.size() - 23).anyMatch(box::holds)) {
          found.add("an arrow through " + box);
        }
      }
    }
    return found;
  }

  /** Holds the picture's nodes against what they should be. */
  void hasNodes(String... expected) {
    assertEquals(List.of(expected), nodes());
  }
}
