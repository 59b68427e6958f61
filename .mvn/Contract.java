// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes Java's side of the contract in native/abi: {@code Arguments} (a record for each struct,
 * with its work, cost, operands and checks), {@code Kernel}, and an enum for each of the
 * contract's. The build runs it; what it writes is no source.
 */
class Contract {
  /** A macro: its comment, parameters and body. */
  record Macro(String comment, List<String> parameters, String body) {}

  /** A word with its arguments: P(x, IN, T, rows * cols). */
  record Entry(String word, List<String> values) {
    String value(int place) {
      return values.get(place);
    }

    /** The options from a place on: an option's word, and what stands in its parentheses. */
    Map<String, String> options(int from) {
      Map<String, String> options = new LinkedHashMap<>();
      for (String value : values.subList(Math.min(from, values.size()), values.size())) {
        Matcher option = OPTION.matcher(value);
        check(option.matches(), "an option is a word, with or without parentheses: " + value);
        options.put(option.group(1), option.group(2) == null ? "" : option.group(2).strip());
      }
      return options;
    }
  }

  private static final Pattern OPTION = Pattern.compile("(?s)(\\w+)\\s*(?:\\((.*)\\))?");
  private static final Pattern NAME = Pattern.compile("[A-Za-z_]\\w*");
  private static final List<String> ELEMENTS =
      List.of("T", "WIDE", "F32", "BF16", "INT32", "UINT8", "STATE", "LAYER", "OPAQUE");
  private static final List<String> POINTER_OPTIONS =
      List.of("NULLABLE", "MAY_BE", "MOVES", "BELOW", "AT_CURSOR");
  private static final String HEAD =
      """
      // SPDX-License-Identifier: Apache-2.0
      // Made by .mvn/Contract.java from native/abi.
      package dev.weft.device;

      """;

  private final Map<String, Macro> macros = new LinkedHashMap<>();
  private final Map<String, Map<String, Integer>> limits = new LinkedHashMap<>();
  private final Map<String, String> constants = new HashMap<>(); // of enums, to Java's
  private final Map<String, List<Entry>> lists = new HashMap<>(); // that were parsed
  private final Path folder;

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: Contract.java <native/abi> <folder for dev/weft/device>");
      System.exit(2);
    }
    try {
      Contract contract = new Contract(Path.of(args[0]), Path.of(args[1], "dev/weft/device"));
      contract.writeEnums();
      contract.writeArguments();
      contract.writeKernels();
    } catch (IllegalArgumentException e) {
      System.err.println("ERROR: " + args[0] + ": " + e.getMessage());
      System.exit(1);
    }
  }

  private Contract(Path abi, Path folder) throws IOException {
    this.folder = folder;
    Files.createDirectories(folder);
    String kernels = Files.readString(abi.resolve("kernels.h"));
    Matcher include = Pattern.compile("#include \"(\\w+\\.h)\"").matcher(kernels);
    while (include.find()) {
      read(Files.readString(abi.resolve(include.group(1))));
    }
    read(kernels);
  }

  // ---- reading ----

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }

  private void read(String text) {
    StringBuilder comment = new StringBuilder();
    for (String line : text.replace("\\\n", " ").split("\n")) {
      if (line.startsWith("//")) {
        comment.append(line.substring(2)).append('\n');
        continue;
      }
      Matcher define = Pattern.compile("#define (\\w+)\\(([^)]*)\\) (.*)").matcher(line);
      if (define.matches()) {
        List<String> parameters = Stream.of(define.group(2).split(",")).map(String::strip).toList();
        macros.put(define.group(1), new Macro(comment.toString(), parameters, define.group(3)));
      }
      comment.setLength(0);
    }
    Matcher limit =
        Pattern.compile("typedef enum weft_(\\w+) \\{(.*?)\\}", Pattern.DOTALL).matcher(text);
    while (limit.find()) {
      Map<String, Integer> values = new LinkedHashMap<>();
      Matcher value = Pattern.compile("WEFT_FUSED_(\\w+) = (\\d+)").matcher(limit.group(2));
      while (value.find()) {
        values.put(value.group(1), Integer.parseInt(value.group(2)));
      }
      limits.put(limit.group(1), values);
    }
  }

  /** The entries of a list such as WEFT_REDUCE, the helping macros in them written out. */
  private List<Entry> entries(String list) {
    return lists.computeIfAbsent(list, this::parsed);
  }

  private List<Entry> parsed(String list) {
    Macro macro = macros.get(list);
    check(macro != null, "there is no list " + list);
    List<Entry> entries = new ArrayList<>();
    String rest = expand(macro.body()).strip();
    while (!rest.isEmpty()) {
      Matcher word = NAME.matcher(rest);
      check(word.lookingAt(), list + " does not go on with a word: " + rest);
      check(
          macro.parameters().contains(word.group()),
          list + " has an entry of " + word.group() + ", which is none of " + macro.parameters());
      int open = rest.indexOf('(', word.end());
      check(
          open >= 0 && rest.substring(word.end(), open).isBlank(),
          list + ": ( is missing: " + rest);
      int close = closing(rest, open);
      entries.add(new Entry(word.group(), split(rest.substring(open + 1, close))));
      rest = rest.substring(close + 1).strip();
    }
    return entries;
  }

  /** The lists of every family, in the order of kernels.h. */
  private List<Entry> all(String kind) {
    return Pattern.compile("WEFT_\\w+_" + kind)
        .matcher(macros.get("WEFT_" + kind).body())
        .results()
        .flatMap(list -> entries(list.group()).stream())
        .toList();
  }

  private String expand(String text) {
    for (Map.Entry<String, Macro> one : macros.entrySet()) {
      if (!text.contains(one.getKey() + "(")) {
        continue;
      }
      Matcher call = Pattern.compile("\\b" + one.getKey() + "\\(").matcher(text);
      while (call.find()) {
        int close = closing(text, call.end() - 1);
        List<String> values = split(text.substring(call.end(), close));
        String body = one.getValue().body();
        for (int i = 0; i < values.size(); i++) {
          String parameter = "\\b" + one.getValue().parameters().get(i) + "\\b";
          body = body.replaceAll(parameter, Matcher.quoteReplacement(values.get(i)));
        }
        text = text.substring(0, call.start()) + body + text.substring(close + 1);
        call = Pattern.compile("\\b" + one.getKey() + "\\(").matcher(text);
      }
    }
    return text.replaceAll("\\s+", " ");
  }

  private static int closing(String text, int open) {
    int depth = 0;
    boolean quoted = false;
    for (int i = open; i < text.length(); i++) {
      char c = text.charAt(i);
      quoted ^= c == '"';
      depth += quoted ? 0 : c == '(' ? 1 : c == ')' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw new IllegalArgumentException("a ) is missing: " + text);
  }

  /** At the commas that stand in no parentheses and no quotes. */
  private static List<String> split(String text) {
    List<String> parts = new ArrayList<>();
    int depth = 0;
    int begin = 0;
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      quoted ^= c == '"';
      depth += quoted ? 0 : c == '(' ? 1 : c == ')' ? -1 : 0;
      if (c == ',' && depth == 0 && !quoted) {
        parts.add(text.substring(begin, i).strip());
        begin = i + 1;
      }
    }
    parts.add(text.substring(begin).strip());
    return parts;
  }

  // ---- words ----

  private static String camel(String name) {
    return Pattern.compile("_(\\w)")
        .matcher(name.toLowerCase(Locale.ROOT))
        .replaceAll(match -> match.group(1).toUpperCase(Locale.ROOT));
  }

  private static String type(String name) {
    String camel = camel(name);
    return camel.substring(0, 1).toUpperCase(Locale.ROOT) + camel.substring(1);
  }

  /** An expression of the contract as one of Java, over the fields of a struct. */
  private String java(String where, String expression, List<Entry> fields) {
    return NAME.matcher(expression)
        .replaceAll(
            match -> {
              String name = match.group();
              if (name.equals("weft_ceil_div")) {
                return "Math.ceilDiv";
              } else if (constants.containsKey(name)) {
                return constants.get(name);
              } else if (ELEMENTS.contains(name)) {
                return "Element." + name;
              }
              check(
                  fields.stream().anyMatch(f -> !f.word().equals("W") && f.value(0).equals(name)),
                  where + ": '" + name + "' in '" + expression + "' is no field of the struct");
              return camel(name);
            });
  }

  private static String javadoc(String comment, String indent, List<String> parameters) {
    StringBuilder text = new StringBuilder(indent).append("/**\n");
    boolean formula = false;
    for (String line : comment.stripTrailing().split("\n")) {
      boolean indented = line.startsWith("   ");
      if (indented != formula) {
        text.append(indent).append(indented ? " * <pre>\n" : " * </pre>\n");
        formula = indented;
      }
      text.append(indent).append(" *").append(escape(line)).append('\n');
    }
    if (formula) {
      text.append(indent).append(" * </pre>\n");
    }
    if (!parameters.isEmpty()) {
      text.append(indent).append(" *\n");
      parameters.forEach(
          p -> text.append(indent).append(" * @param ").append(escape(p)).append('\n'));
    }
    return text.append(indent).append(" */\n").toString();
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name + ".java");
    if (!Files.exists(file) || !Files.readString(file).equals(text)) {
      Files.writeString(file, text);
    }
  }

  // ---- enums ----

  private void writeEnums() throws IOException {
    for (Entry one : all("ENUMS")) {
      String name = type(one.value(0));
      List<Entry> values = entries(one.value(1));
      values.forEach(
          v -> constants.put("WEFT_" + one.value(2) + v.value(0), name + "." + v.value(0)));
      boolean takesAlpha = values.stream().anyMatch(v -> v.options(2).containsKey("ALPHA"));
      boolean ofX = values.stream().anyMatch(v -> v.options(2).containsKey("OF_X"));
      StringBuilder text = new StringBuilder(HEAD);
      text.append("import static java.util.Locale.ROOT;\n\n");
      text.append("/** The values of {@code weft_")
          .append(one.value(0))
          .append("}, in its order. */\n");
      text.append("public enum ").append(name).append(" {\n");
      for (int i = 0; i < values.size(); i++) {
        Entry value = values.get(i);
        Map<String, String> options = value.options(2);
        List<String> settings = new ArrayList<>();
        if (takesAlpha) {
          settings.add(options.containsKey("ALPHA") ? "true" : "false");
          settings.add(options.getOrDefault("ALPHA", "1"));
        }
        if (ofX) {
          settings.add(options.containsKey("OF_X") ? "true" : "false");
        }
        text.append("  /** ").append(escape(sentence(value.value(1)))).append(" */\n  ");
        text.append(value.value(0));
        text.append(settings.isEmpty() ? "" : "(" + String.join(", ", settings) + ")");
        text.append(i + 1 < values.size() ? ",\n" : ";\n");
      }
      text.append(settings(name, takesAlpha, ofX));
      text.append(
          """

            /** The name on the command line and in files: lower case, with underscores. */
            public String token() {
              return name().toLowerCase(ROOT);
            }

            /** The one of that {@link #token}, or null. */
            public static %s named(String token) {
              for (%s one : values()) {
                if (one.token().equals(token)) {
                  return one;
                }
              }
              return null;
            }
          }
          """
              .formatted(name, name));
      write(name, text.toString());
    }
    for (Map.Entry<String, Map<String, Integer>> limit : limits.entrySet()) {
      String name = type(limit.getKey());
      String values =
          limit.getValue().entrySet().stream()
              .map(v -> "  public static final int " + v.getKey() + " = " + v.getValue() + ";\n")
              .collect(Collectors.joining());
      write(
          name,
          HEAD
              + "/** {@code weft_"
              + limit.getKey()
              + "}: see native/abi. */\n"
              + "public final class "
              + name
              + " {\n  private "
              + name
              + "() {}\n\n"
              + values
              + "}\n");
    }
  }

  private static String settings(String name, boolean takesAlpha, boolean ofX) {
    if (!takesAlpha && !ofX) {
      return "";
    }
    StringBuilder text = new StringBuilder("\n");
    List<String> parameters = new ArrayList<>();
    StringBuilder assigned = new StringBuilder();
    StringBuilder methods = new StringBuilder();
    if (takesAlpha) {
      parameters.addAll(List.of("boolean takesAlpha", "double defaultAlpha"));
      text.append("  private final boolean takesAlpha;\n  private final double defaultAlpha;\n");
      assigned.append("    this.takesAlpha = takesAlpha;\n    this.defaultAlpha = defaultAlpha;\n");
      methods.append(
          """

            /** Whether alpha is a part of the function. */
            public boolean takesAlpha() {
              return takesAlpha;
            }

            /** The alpha where none is given; 1 where the function takes none. */
            public double defaultAlpha() {
              return defaultAlpha;
            }
          """);
    }
    if (ofX) {
      parameters.add("boolean derivativeNeedsInput");
      text.append("  private final boolean derivativeNeedsInput;\n");
      assigned.append("    this.derivativeNeedsInput = derivativeNeedsInput;\n");
      methods.append(
          """

            /** Whether the derivative needs x; the others are determined by f(x). */
            public boolean derivativeNeedsInput() {
              return derivativeNeedsInput;
            }
          """);
    }
    return text.append("\n  ")
        .append(name)
        .append('(')
        .append(String.join(", ", parameters))
        .append(") {\n")
        .append(assigned)
        .append("  }\n")
        .append(methods)
        .toString();
  }

  private static String sentence(String quoted) {
    String text = quoted.substring(1, quoted.length() - 1);
    return Character.toUpperCase(text.charAt(0)) + text.substring(1) + ".";
  }

  // ---- structs ----

  private void writeArguments() throws IOException {
    StringBuilder text = new StringBuilder(HEAD);
    text.append(
        """
        import java.util.List;
        import java.util.function.ToLongFunction;

        /**
         * The argument structs of {@code native/abi}, one record each. Components stand in the order of the
         * fields, pointers are device addresses, and 0 is the null pointer. A test holds names, order and
         * sizes against the native library's own table.
         */
        public sealed interface Arguments {

          /** Writes the struct, one slot for each component, in order. */
          void write(Slots slots);

          /** The number of work items; with 0 a call does nothing. */
          long work();

          /** Floating-point operations, those of adding to what is there left out. */
          double flops();

          /** The pointers, in order, with what the contract says of each. */
          List<Operand> operands();

          /** The same call over other memory: {@code place} gives the address of each operand. */
          Arguments at(ToLongFunction<Operand> place);

          /**
           * Checks the pointers: none is 0 that may not be, no output is the memory of another operand
           * unless the contract allows it.
           *
           * @throws IllegalArgumentException where one is
           */
          void check();

          /** The same call without these operands. */
          default Arguments without(String... names) {
            return Operand.without(this, List.of(names));
          }

          /** The same call with one operand in the memory of another. */
          default Arguments inPlace(String name, String of) {
            return Operand.inPlace(this, name, of);
          }
        """);
    for (Entry struct : all("STRUCTS")) {
      text.append('\n').append(record(struct.value(0), struct.value(1)));
    }
    write("Arguments", text.append("}\n").toString());
  }

  private String record(String struct, String list) {
    String name = type(struct);
    List<Entry> entries = entries(list);
    List<Entry> fields = entries.stream().filter(e -> !e.word().equals("W")).toList();
    List<Entry> pointers = fields.stream().filter(e -> e.word().equals("P")).toList();
    List<Entry> numbers = fields.stream().filter(e -> !e.word().equals("P")).toList();
    List<Entry> work = entries.stream().filter(e -> e.word().equals("W")).toList();
    check(work.size() == 1, list + " needs one W(work, flops)");
    List<String> documented = pointers.stream().map(p -> described(list, p)).toList();

    StringBuilder text = new StringBuilder();
    text.append(javadoc(macros.get(list).comment(), "  ", documented));
    text.append("  record ").append(name).append("(\n      ");
    text.append(fields.stream().map(this::component).collect(Collectors.joining(",\n      ")));
    text.append(")\n      implements Arguments {\n\n");
    if (!pointers.isEmpty()) {
      text.append("    /** One with no memory yet: its pointers are 1, 2, 3 and so on. */\n");
      text.append("    public static Arguments over(");
      text.append(numbers.stream().map(this::component).collect(Collectors.joining(", ")));
      text.append(") {\n      return new ").append(name).append('(');
      int[] next = {1};
      text.append(
          fields.stream()
              .map(f -> f.word().equals("P") ? String.valueOf(next[0]++) : camel(f.value(0)))
              .collect(Collectors.joining(", ")));
      text.append(");\n    }\n\n");
    }
    text.append("    @Override\n    public void write(Slots slots) {\n");
    fields.forEach(f -> text.append("      slots.put(").append(camel(f.value(0))).append(");\n"));
    text.append("    }\n\n    @Override\n    public long work() {\n      return ");
    text.append(java(list, work.get(0).value(0), fields)).append(";\n    }\n\n");
    text.append("    @Override\n    public double flops() {\n      return ");
    text.append(java(list, work.get(0).value(1), fields)).append(";\n    }\n\n");
    text.append("    @Override\n    public List<Operand> operands() {\n      return List.of(");
    text.append(
        pointers.stream().map(p -> operand(list, p, fields)).collect(Collectors.joining(",")));
    text.append(");\n    }\n\n");
    text.append("    @Override\n    public Arguments at(ToLongFunction<Operand> place) {\n");
    text.append("      List<Operand> operands = operands();\n      return new ")
        .append(name)
        .append('(');
    int[] next = {0};
    text.append(
        fields.stream()
            .map(
                f ->
                    f.word().equals("P")
                        ? "\n          place.applyAsLong(operands.get(" + next[0]++ + "))"
                        : camel(f.value(0)))
            .collect(Collectors.joining(", ")));
    text.append(");\n    }\n\n    @Override\n    public void check() {\n");
    text.append(checks(struct, list, pointers, fields));
    return text.append("    }\n  }\n").toString();
  }

  private static String described(String list, Entry pointer) {
    String access = pointer.value(1).replaceFirst("ADD\\((.*)\\)", "out, or in and out where $1");
    String options =
        pointer.options(4).entrySet().stream()
            .filter(o -> !o.getKey().equals("MOVES"))
            .map(o -> ", " + o.getKey() + (o.getValue().isEmpty() ? "" : " " + o.getValue()))
            .collect(Collectors.joining())
            .toLowerCase(Locale.ROOT)
            .replace('_', ' ');
    return camel(pointer.value(0))
        + " "
        + access.toLowerCase(Locale.ROOT)
        + "; "
        + pointer.value(2)
        + ", "
        + pointer.value(3)
        + " elements"
        + options;
  }

  private String component(Entry field) {
    String kind = field.values().size() > 1 ? field.value(1) : "";
    String type =
        switch (field.word()) {
          case "P" -> "long";
          case "D" -> "double";
          case "I" -> kind.isEmpty() ? "long" : kind.equals("FLAG") ? "boolean" : enumeration(kind);
          default -> throw new IllegalArgumentException("no field is a " + field.word());
        };
    return type + " " + camel(field.value(0));
  }

  private String enumeration(String kind) {
    check(macros.containsKey("WEFT_" + kind), "there is no enum " + kind);
    return type(kind);
  }

  /** An operand as Java makes it. */
  private String operand(String list, Entry pointer, List<Entry> fields) {
    String where = list + ", " + pointer.value(0);
    check(pointer.values().size() >= 4, where + ": a pointer has name, access, type and extent");
    Map<String, String> options = pointer.options(4);
    for (String option : options.keySet()) {
      check(POINTER_OPTIONS.contains(option), where + ": there is no option " + option);
    }
    String extent = java(where, pointer.value(3), fields);
    String element = pointer.value(2);
    check(
        ELEMENTS.contains(element) || element.contains("?"),
        where + ": " + element + " is none of " + ELEMENTS);
    String moved =
        options.containsKey("MOVES")
            ? java(where, options.get("MOVES"), fields)
            : element.equals("STATE") ? "0" : extent;
    String below = options.containsKey("BELOW") ? java(where, options.get("BELOW"), fields) : "0";
    return "\n          new Operand(\""
        + pointer.value(0)
        + "\", "
        + camel(pointer.value(0))
        + ", "
        + access(where, pointer.value(1), fields)
        + ", "
        + java(where, element, fields)
        + ", "
        + extent
        + ", "
        + moved
        + ", "
        + below
        + ", "
        + options.containsKey("NULLABLE")
        + ", "
        + options.containsKey("AT_CURSOR")
        + ")";
  }

  private String access(String where, String access, List<Entry> fields) {
    Matcher add = Pattern.compile("ADD\\((.*)\\)").matcher(access);
    if (!add.matches()) {
      check(
          List.of("IN", "OUT", "INOUT").contains(access), where + ": there is no access " + access);
      return "Access." + access;
    }
    // counted are the additions that a flag asks for
    String there = NAME.matcher(add.group(1)).matches() ? "ADD" : "INOUT";
    return java(where, add.group(1), fields) + " ? Access." + there + " : Access.OUT";
  }

  private String checks(String struct, String list, List<Entry> pointers, List<Entry> fields) {
    StringBuilder text = new StringBuilder();
    for (Entry pointer : pointers) {
      String name = camel(pointer.value(0));
      Map<String, String> options = pointer.options(4);
      if (!options.containsKey("NULLABLE")) {
        text.append("      if (").append(name).append(" == 0");
        text.append(
            pointer.value(2).equals("OPAQUE")
                ? ""
                : " && (" + java(list, pointer.value(3), fields) + ") > 0");
        text.append(") {\n        throw Operand.missing(\"").append(struct).append("\", \"");
        text.append(pointer.value(0)).append("\");\n      }\n");
      }
      if (pointer.value(1).equals("IN")) {
        continue;
      }
      for (Entry other : pointers) {
        boolean first = pointers.indexOf(other) < pointers.indexOf(pointer);
        if (other == pointer || !other.value(1).equals("IN") && !first) {
          continue;
        }
        boolean allowed =
            other.value(0).equals(options.get("MAY_BE"))
                || pointer.value(0).equals(other.options(4).get("MAY_BE"));
        Matcher add = Pattern.compile("ADD\\((.*)\\)").matcher(pointer.value(1));
        if (allowed && !add.matches()) {
          continue;
        }
        String otherName = camel(other.value(0));
        text.append("      if (").append(name).append(" != 0 && ").append(name).append(" == ");
        text.append(otherName);
        text.append(allowed ? " && (" + java(list, add.group(1), fields) + ")" : "");
        text.append(") {\n        throw Operand.shared(\"").append(struct).append("\", \"");
        text.append(pointer.value(0))
            .append("\", \"")
            .append(other.value(0))
            .append("\");\n      }\n");
      }
    }
    return text.toString();
  }

  // ---- kernels ----

  private void writeKernels() throws IOException {
    StringBuilder text = new StringBuilder(HEAD);
    text.append(
        """
        import static dev.weft.format.Format.format;
        import static java.util.Locale.ROOT;

        import java.util.Map;

        /** The list of kernels of {@code native/abi}: a name and the struct that it takes. */
        public enum Kernel {
        """);
    List<String> kinds = List.of("TYPED", "WIDE", "UNTYPED", "LIBRARY");
    List<String> lines = new ArrayList<>();
    for (Entry kernel : all("KERNELS")) {
      check(
          all("STRUCTS").stream().anyMatch(struct -> struct.value(0).equals(kernel.value(2))),
          kernel.value(1) + ": there is no struct " + kernel.value(2));
      check(kinds.contains(kernel.value(0)), kernel.value(1) + " is of no kind of " + kinds);
      List<String> types = new ArrayList<>();
      List<String> pointers =
          all("STRUCTS").stream()
              .filter(struct -> struct.value(0).equals(kernel.value(2)))
              .flatMap(struct -> entries(struct.value(1)).stream())
              .filter(e -> e.word().equals("P"))
              .map(e -> e.value(0))
              .collect(Collectors.toCollection(ArrayList::new));
      for (String value : kernel.values().subList(5, kernel.values().size())) {
        String where = kernel.value(1) + ": " + value;
        Matcher option = Pattern.compile("AS\\((\\w+), (\\w+)\\)|RACES\\((\\w+)\\)").matcher(value);
        check(option.matches(), where + " is no option");
        boolean as = option.group(1) != null;
        check(
            pointers.remove(option.group(as ? 1 : 3)),
            where + " names no pointer, or one that another option names");
        if (as) {
          types.add("\"" + option.group(1) + "\", Element." + option.group(2));
        }
      }
      lines.add(
          "  "
              + kernel.value(1).toUpperCase(Locale.ROOT)
              + "(Arguments."
              + type(kernel.value(2))
              + ".class, Kind."
              + kernel.value(0)
              + ", Map.of("
              + String.join(", ", types)
              + "))");
    }
    text.append(String.join(",\n", lines)).append(";\n");
    text.append(
        """

          /**
           * How a kernel exists: once a precision, once for F32 and F64, once, or once a precision in a
           * library (cuBLAS).
           */
          public enum Kind {
            TYPED,
            WIDE,
            UNTYPED,
            LIBRARY
          }

          private final Class<? extends Arguments> arguments;
          private final Kind kind;
          private final Map<String, Element> elements;
          private final String[] symbols = new String[Precision.values().length];

          Kernel(Class<? extends Arguments> arguments, Kind kind, Map<String, Element> elements) {
            this.arguments = arguments;
            this.kind = kind;
            this.elements = elements;
            String base = name().toLowerCase(ROOT);
            for (Precision precision : Precision.values()) {
              if (exists(precision)) {
                symbols[precision.ordinal()] = kind == Kind.UNTYPED ? base : base + precision.suffix();
              }
            }
          }

          /** The record that this kernel takes. */
          public Class<? extends Arguments> arguments() {
            return arguments;
          }

          /** How the kernel exists. */
          public Kind kind() {
            return kind;
          }

          /** What an operand of this kernel holds. */
          public Element element(Operand operand) {
            return elements.getOrDefault(operand.name(), operand.element());
          }

          /** Whether there is such a kernel; an untyped one stands for all precisions. */
          public boolean exists(Precision precision) {
            return kind != Kind.WIDE || precision == precision.wide();
          }

          /**
           * The native name, such as {@code bias_activation_forward_f32}.
           *
           * @throws IllegalArgumentException where there is no such kernel
           */
          public String symbol(Precision precision) {
            if (!exists(precision)) {
              throw new IllegalArgumentException(
                  format("%s has no kernel for %s; compute it in %s", this, precision, precision.wide()));
            }
            return symbols[precision.ordinal()];
          }
        }
        """);
    write("Kernel", text.toString());
  }
}
