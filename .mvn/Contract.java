// SPDX-License-Identifier: Apache-2.0

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Makes Java's side of the contract in native/abi: {@code Arguments} (a record for each struct,
 * with its work, cost, operands and checks), {@code Kernel}, and an enum for each of the
 * contract's. The build runs it; what it writes is no source.
 */
class Contract {
  /** A macro: its comment, parameters and body. */
  record Macro(String comment, List<String> parameters, String body) {}

  /** A word with its values, P(x, IN, T, rows * cols), and how far it goes in its text. */
  record Entry(String word, List<String> values, int end) {
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

  /** A pointer of a struct; added: in which case it is added to, null where it never is. */
  record Pointer(
      String name,
      String access,
      String added,
      String element,
      String extent,
      Map<String, String> options) {
    /** For Javadoc. */
    String described() {
      String when = access.equals("ADD") ? "out, or in and out where " + added : access;
      StringBuilder text = new StringBuilder();
      options.forEach(
          (word, of) ->
              text.append(word.equals("MOVES") ? "" : (", " + word + " " + of).stripTrailing()));
      String lower = text.toString().toLowerCase(Locale.ROOT).replace('_', ' ');
      return "%s %s; %s, %s elements%s"
          .formatted(camel(name), when.toLowerCase(Locale.ROOT), element, extent, lower);
    }

    boolean mayBe(Pointer other) {
      return other.name.equals(options.get("MAY_BE"));
    }
  }

  /** A struct, the name of its macro, and what stands there: fields, and last the work. */
  record Struct(String name, String list, List<Entry> entries, List<Pointer> pointers) {
    List<Entry> fields() {
      return entries.subList(0, entries.size() - 1);
    }
  }

  /** What an enum's values have where one of them has the option. */
  record Setting(String option, String type, String name, String says) {
    String of(Entry value) {
      Map<String, String> options = value.options(2);
      return type.equals("boolean")
          ? String.valueOf(options.containsKey(option))
          : options.getOrDefault(option, "1");
    }
  }

  private static final Pattern OPTION = Pattern.compile("(?s)(\\w+)\\s*(?:\\((.*)\\))?");
  private static final Pattern NAME = Pattern.compile("[A-Za-z_]\\w*");
  private static final Pattern CALL = Pattern.compile("\\b([A-Za-z_]\\w*)\\s*\\(");
  private static final Pattern DEFINE = Pattern.compile("#define (\\w+)\\(([^)]*)\\) (.*)");
  private static final Pattern LIMIT = Pattern.compile("WEFT_FUSED_(\\w+) = (\\d+)");
  private static final Pattern KERNEL_OPTION =
      Pattern.compile("(AS|RACES)\\((\\w+)(?:, (\\w+))?\\)");
  private static final List<String> KINDS = List.of("TYPED", "WIDE", "UNTYPED", "LIBRARY", "HOST");
  private static final List<String> ELEMENTS =
      List.of("T", "WIDE", "F32", "F64", "BF16", "INT32", "UINT8", "STATE", "LAYER", "OPAQUE");
  private static final List<String> POINTER_OPTIONS =
      List.of("NULLABLE", "MAY_BE", "MOVES", "BELOW", "AT_CURSOR");
  private static final List<Setting> SETTINGS =
      List.of(
          new Setting("ALPHA", "boolean", "takesAlpha", "Whether alpha is a part of the function."),
          new Setting("ALPHA", "double", "defaultAlpha", "The usual alpha; 1 where f takes none."),
          new Setting(
              "OF_X", "boolean", "derivativeNeedsInput", "Whether f' needs x beside f(x)."));

  private final Map<String, Macro> macros = new HashMap<>();
  private final Map<String, String> constants = new HashMap<>(); // of enums, to Java's
  private final StringBuilder limits = new StringBuilder();
  private final Set<Path> written = new HashSet<>();
  private final Path folder;

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: Contract.java <native/abi> <folder for dev/weft/device>");
      System.exit(2);
    }
    try {
      Contract contract = new Contract(Path.of(args[0]), Path.of(args[1], "dev/weft/device"));
      contract.writeEnums();
      contract.writeLimits();
      List<Struct> structs =
          contract.entries("WEFT_STRUCTS").stream().map(contract::struct).toList();
      contract.writeArguments(structs);
      contract.writeKernels(structs);
      contract.removeOthers();
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
      Matcher define = DEFINE.matcher(line);
      Matcher limit = LIMIT.matcher(line);
      if (line.startsWith("//")) {
        comment.append(line.substring(2)).append('\n');
        continue;
      } else if (define.matches()) {
        List<String> parameters = Stream.of(define.group(2).split(",")).map(String::strip).toList();
        macros.put(define.group(1), new Macro(comment.toString(), parameters, define.group(3)));
      } else if (limit.find()) {
        limits.append(
            "  public static final int %s = %s;\n".formatted(limit.group(1), limit.group(2)));
      }
      comment.setLength(0);
    }
  }

  /** The entries of a list such as WEFT_REDUCE, the helping macros in them written out. */
  private List<Entry> entries(String list) {
    Macro macro = macros.get(list);
    check(macro != null, "there is no list " + list);
    List<Entry> entries = new ArrayList<>();
    String rest = expand(macro.body()).strip();
    while (!rest.isEmpty()) {
      Matcher call = CALL.matcher(rest);
      check(call.lookingAt(), list + " does not go on with a word and (: " + rest);
      Entry entry = entry(rest, call);
      check(
          macro.parameters().contains(entry.word()),
          list + " has an entry of " + entry.word() + ", which is none of " + macro.parameters());
      entries.add(entry);
      rest = rest.substring(entry.end()).strip();
    }
    return entries;
  }

  private String expand(String text) {
    Matcher call = CALL.matcher(text);
    while (call.find()) {
      Macro macro = macros.get(call.group(1));
      if (macro != null) {
        Entry entry = entry(text, call);
        String body = macro.body();
        for (int i = 0; i < entry.values().size(); i++) {
          String parameter = "\\b" + macro.parameters().get(i) + "\\b";
          body = body.replaceAll(parameter, Matcher.quoteReplacement(entry.value(i)));
        }
        text = text.substring(0, call.start()) + body + text.substring(entry.end());
        call.reset(text);
      }
    }
    return text.replaceAll("\\s+", " ");
  }

  /** The entry that was found; commas in parentheses and quotes part no values. */
  private static Entry entry(String text, Matcher found) {
    List<String> values = new ArrayList<>();
    int begin = found.end();
    int depth = 1;
    boolean quoted = false;
    for (int i = begin; i < text.length(); i++) {
      char c = text.charAt(i);
      quoted ^= c == '"';
      depth += quoted ? 0 : c == '(' ? 1 : c == ')' ? -1 : 0;
      if (!quoted && (depth == 0 || depth == 1 && c == ',')) {
        values.add(text.substring(begin, i).strip());
        begin = i + 1;
      }
      if (depth == 0) {
        return new Entry(found.group(1), values, begin);
      }
    }
    throw new IllegalArgumentException("a ) is missing: " + text);
  }

  private Struct struct(Entry one) {
    String list = one.value(1);
    List<Entry> entries = entries(list);
    check(
        each(entries, "", Entry::word).matches("P*[ID]*W"),
        list + " needs pointers, numbers and one W(work, flops), in this order");
    List<Pointer> pointers =
        entries.stream().filter(e -> e.word().equals("P")).map(e -> pointer(list, e)).toList();
    return new Struct(one.value(0), list, entries, pointers);
  }

  private static Pointer pointer(String list, Entry entry) {
    String where = list + ", " + entry.value(0);
    check(entry.values().size() >= 4, where + ": a pointer has name, access, type and extent");
    Matcher access = OPTION.matcher(entry.value(1));
    check(
        access.matches() && List.of("IN", "OUT", "INOUT", "ADD").contains(access.group(1)),
        where + ": there is no access " + entry.value(1));
    String element = entry.value(2);
    check(
        ELEMENTS.contains(element) || element.contains("?"),
        where + ": " + element + " is none of " + ELEMENTS);
    Map<String, String> options = entry.options(4);
    for (String option : options.keySet()) {
      check(POINTER_OPTIONS.contains(option), where + ": there is no option " + option);
    }
    return new Pointer(
        entry.value(0), access.group(1), access.group(2), element, entry.value(3), options);
  }

  // ---- words ----

  private static String camel(String name) {
    return Pattern.compile("_(\\w)")
        .matcher(name.toLowerCase(Locale.ROOT))
        .replaceAll(match -> match.group(1).toUpperCase(Locale.ROOT));
  }

  private static String capital(String text) {
    return Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }

  private static String type(String name) {
    return capital(camel(name));
  }

  private static <E> String each(List<E> all, String between, Function<E, String> text) {
    return all.stream().map(text).collect(joining(between));
  }

  /** An expression of the contract as one of Java, over the fields of a struct. */
  private String java(Struct struct, String where, String expression) {
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
                  struct.fields().stream().anyMatch(f -> f.value(0).equals(name)),
                  where + ": '" + name + "' in '" + expression + "' is no field of the struct");
              return camel(name);
            });
  }

  private static String javadoc(String comment, List<Pointer> parameters) {
    StringBuilder text = new StringBuilder("  /**\n");
    boolean formula = false;
    for (String line : comment.split("\n")) {
      boolean indented = line.startsWith("   ");
      if (indented != formula) {
        text.append(indented ? "   * <pre>\n" : "   * </pre>\n");
        formula = indented;
      }
      text.append("   *").append(escape(line)).append('\n');
    }
    text.append(formula ? "   * </pre>\n" : "").append(parameters.isEmpty() ? "" : "   *\n");
    parameters.forEach(p -> text.append("   * @param ").append(escape(p.described())).append('\n'));
    return text.append("   */\n").toString();
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private void write(String name, String template, Object... places) throws IOException {
    String head =
        """
        // SPDX-License-Identifier: Apache-2.0
        // Made by .mvn/Contract.java from native/abi.
        package dev.weft.device;

        """;
    String text = head + template.formatted(places);
    Path file = folder.resolve(name + ".java");
    written.add(file);
    if (!Files.exists(file) || !Files.readString(file).equals(text)) {
      Files.writeString(file, text);
    }
  }

  /** What an earlier contract had, and this one has not. */
  private void removeOthers() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(file -> !written.contains(file)).toList()) {
        Files.delete(file);
      }
    }
  }

  // ---- enums ----

  private void writeEnums() throws IOException {
    for (Entry one : entries("WEFT_ENUMS")) {
      String name = type(one.value(0));
      List<Entry> values = entries(one.value(1));
      values.forEach(
          v -> constants.put("WEFT_" + one.value(2) + v.value(0), name + "." + v.value(0)));
      List<Setting> settings =
          SETTINGS.stream()
              .filter(s -> values.stream().anyMatch(v -> v.options(2).containsKey(s.option())))
              .toList();
      write(
          name,
          """
          import static java.util.Locale.ROOT;

          import org.jspecify.annotations.Nullable;

          /** The values of {@code weft_%2$s}, in its order. */
          public enum %1$s {
          %3$s;

          %4$s
            %1$s(%5$s) {
          %6$s  }
          %7$s
            /** The name on the command line and in files: lower case, with underscores. */
            public String token() {
              return name().toLowerCase(ROOT);
            }

            /** The one of that {@link #token}, or null. */
            public static @Nullable %1$s named(String token) {
              for (%1$s one : values()) {
                if (one.token().equals(token)) {
                  return one;
                }
              }
              return null;
            }
          }
          """,
          name,
          one.value(0),
          each(values, ",\n", v -> value(v, settings)),
          each(settings, "", s -> "  private final %s %s;\n".formatted(s.type(), s.name())),
          each(settings, ", ", s -> s.type() + " " + s.name()),
          each(settings, "", s -> "    this.%1$s = %1$s;\n".formatted(s.name())),
          each(settings, "", Contract::getter));
    }
  }

  private static String value(Entry value, List<Setting> settings) {
    String quoted = value.value(1);
    return "  /** %s. */\n  %s(%s)"
        .formatted(
            escape(quoted.substring(1, quoted.length() - 1)),
            value.value(0),
            each(settings, ", ", s -> s.of(value)));
  }

  private static String getter(Setting one) {
    return """

      /** %s */
      public %s %3$s() {
        return %3$s;
      }
    """
        .formatted(one.says(), one.type(), one.name());
  }

  private void writeLimits() throws IOException {
    write(
        "FusedLimit",
        """
        /** {@code weft_fused_limit}: see native/abi. */
        public final class FusedLimit {
          private FusedLimit() {}

        %s}
        """,
        limits);
  }

  // ---- structs ----

  private void writeArguments(List<Struct> structs) throws IOException {
    write(
        "Arguments",
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
        %s}
        """,
        each(structs, "", this::record));
  }

  private String record(Struct struct) {
    List<Entry> fields = struct.fields();
    Entry work = struct.entries().getLast();
    return """

    %1$s  record %2$s(
          %3$s)
          implements Arguments {

        /** One with no memory yet: its pointers are 1, 2, 3 and so on. */
        public static Arguments over(%4$s) {
          return new %2$s(%5$s);
        }

        @Override
        public void write(Slots slots) {
    %6$s    }

        @Override
        public long work() {
          return %7$s;
        }

        @Override
        public double flops() {
          return %8$s;
        }

        @Override
        public List<Operand> operands() {
          return List.of(%9$s);
        }

        @Override
        public Arguments at(ToLongFunction<Operand> place) {
          List<Operand> operands = operands();
          return new %2$s(%10$s);
        }

        @Override
        public void check() {
    %11$s    }
      }
    """
        .formatted(
            javadoc(macros.get(struct.list()).comment(), struct.pointers()),
            type(struct.name()),
            each(fields, ",\n      ", this::component),
            each(fields.subList(struct.pointers().size(), fields.size()), ", ", this::component),
            filled(struct, place -> String.valueOf(place + 1)),
            each(fields, "", f -> "      slots.put(%s);\n".formatted(camel(f.value(0)))),
            java(struct, struct.list(), work.value(0)),
            java(struct, struct.list(), work.value(1)),
            each(struct.pointers(), ",", p -> operand(struct, p)),
            filled(struct, "\n          place.applyAsLong(operands.get(%s))"::formatted),
            each(struct.pointers(), "", p -> checks(struct, p)));
  }

  /** What its record is made of, where a pointer is what follows from its place. */
  private static String filled(Struct struct, Function<Integer, String> pointer) {
    return each(
        struct.fields(),
        ", ",
        f -> f.word().equals("P") ? pointer.apply(struct.fields().indexOf(f)) : camel(f.value(0)));
  }

  private String component(Entry field) {
    String kind = field.values().size() > 1 ? field.value(1) : "";
    boolean isEnum = field.word().equals("I") && !kind.isEmpty() && !kind.equals("FLAG");
    check(!isEnum || macros.containsKey("WEFT_" + kind), "there is no enum " + kind);
    String type =
        switch (field.word()) {
          case "P" -> "long";
          case "D" -> "double";
          default -> isEnum ? type(kind) : kind.isEmpty() ? "long" : "boolean";
        };
    return type + " " + camel(field.value(0));
  }

  private String operand(Struct struct, Pointer one) {
    String where = struct.list() + ", " + one.name();
    Map<String, String> options = one.options();
    // counted are the additions that a flag asks for
    String access =
        one.added() == null
            ? "Access." + one.access()
            : "%s ? Access.%s : Access.OUT"
                .formatted(
                    java(struct, where, one.added()),
                    NAME.matcher(one.added()).matches() ? "ADD" : "INOUT");
    String moved = one.element().equals("STATE") ? "0" : one.extent();
    return "\n          new Operand(\"%s\", %s, %s, %s, %s, %s, %s, %s, %s)"
        .formatted(
            one.name(),
            camel(one.name()),
            access,
            java(struct, where, one.element()),
            java(struct, where, one.extent()),
            java(struct, where, options.getOrDefault("MOVES", moved)),
            java(struct, where, options.getOrDefault("BELOW", "0")),
            options.containsKey("NULLABLE"),
            options.containsKey("AT_CURSOR"));
  }

  /** That a pointer may be 0, and that what it writes may be where other operands are. */
  private String checks(Struct struct, Pointer one) {
    String name = camel(one.name());
    StringBuilder text = new StringBuilder();
    if (!one.options().containsKey("NULLABLE")) {
      String some = java(struct, struct.list(), one.extent());
      String needed = one.element().equals("OPAQUE") ? "" : " && (" + some + ") > 0";
      text.append(refusal(name + " == 0" + needed, "missing", struct.name(), one.name()));
    }
    for (Pointer other : struct.pointers()) {
      boolean later = struct.pointers().indexOf(other) >= struct.pointers().indexOf(one);
      boolean allowed = one.mayBe(other) || other.mayBe(one);
      if (one.access().equals("IN")
          || !other.access().equals("IN") && later // which says so itself
          || allowed && one.added() == null) {
        continue;
      }
      String where = allowed ? " && (" + java(struct, struct.list(), one.added()) + ")" : "";
      String same = name + " != 0 && " + name + " == " + camel(other.name()) + where;
      text.append(refusal(same, "shared", struct.name(), one.name() + "\", \"" + other.name()));
    }
    return text.toString();
  }

  private static String refusal(String condition, String why, String struct, String pointers) {
    return """
          if (%s) {
            throw Operand.%s("%s", "%s");
          }
    """
        .formatted(condition, why, struct, pointers);
  }

  // ---- kernels ----

  private void writeKernels(List<Struct> structs) throws IOException {
    write(
        "Kernel",
        """
        import static dev.weft.format.Format.format;
        import static java.util.Locale.ROOT;

        import java.util.List;
        import java.util.Map;
        import java.util.stream.Stream;

        /** The list of kernels of {@code native/abi}: a name and the struct that it takes. */
        public enum Kernel {
        %s;

          /**
           * How a kernel exists: once a precision, once for F32 and F64, once, or once a precision in a
           * library (cuBLAS), or once and on the CPU alone.
           */
          public enum Kind {
            TYPED,
            WIDE,
            UNTYPED,
            LIBRARY,
            HOST
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
                symbols[precision.ordinal()] = isUntyped() ? base : base + precision.suffix();
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

          private boolean isUntyped() {
            return kind == Kind.UNTYPED || kind == Kind.HOST;
          }

          /** Whether a GPU runs it as a kernel of ours. */
          public boolean hasMachineCode() {
            return kind != Kind.LIBRARY && kind != Kind.HOST;
          }

          /** What an operand of this kernel holds. */
          public Element element(Operand operand) {
            return elements.getOrDefault(operand.name(), operand.element());
          }

          /** Whether there is such a kernel; an untyped one stands for all precisions. */
          public boolean exists(Precision precision) {
            return kind != Kind.WIDE || precision == precision.wide();
          }

          /** Those that it has a symbol of its own for; an untyped one is of F32. */
          public List<Precision> precisions() {
            return isUntyped()
                ? List.of(Precision.F32)
                : Stream.of(Precision.values()).filter(this::exists).toList();
          }

          /**
           * The native name, such as {@code bias_activation_forward_f32}.
           *
           * @throws IllegalArgumentException where there is no such kernel
           */
          public String symbol(Precision precision) {
            if (!exists(precision)) {
              throw new IllegalArgumentException(
                  format("%%s has no kernel for %%s; compute it in %%s", this, precision, precision.wide()));
            }
            return symbols[precision.ordinal()];
          }
        }
        """,
        each(entries("WEFT_KERNELS"), ",\n", kernel -> kernel(kernel, structs)));
  }

  private static String kernel(Entry kernel, List<Struct> structs) {
    String kind = kernel.value(0);
    String name = kernel.value(1);
    check(KINDS.contains(kind), name + " is of no kind of " + KINDS);
    List<String> pointers =
        structs.stream()
            .filter(s -> s.name().equals(kernel.value(2)))
            .findFirst()
            .map(s -> new ArrayList<>(s.pointers().stream().map(Pointer::name).toList()))
            .orElseThrow(
                () ->
                    new IllegalArgumentException(name + ": there is no struct " + kernel.value(2)));
    List<String> types = new ArrayList<>();
    for (String value : kernel.values().subList(5, kernel.values().size())) {
      String where = name + ": " + value;
      Matcher option = KERNEL_OPTION.matcher(value);
      check(
          option.matches() && option.group(1).equals("AS") == (option.group(3) != null),
          where + " is no option");
      check(
          pointers.remove(option.group(2)),
          where + " names no pointer, or one that another option names");
      if (option.group(3) != null) {
        types.add("\"%s\", Element.%s".formatted(option.group(2), option.group(3)));
      }
    }
    return "  %s(Arguments.%s.class, Kind.%s, Map.of(%s))"
        .formatted(
            name.toUpperCase(Locale.ROOT), type(kernel.value(2)), kind, String.join(", ", types));
  }
}
