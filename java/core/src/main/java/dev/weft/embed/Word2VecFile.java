// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import dev.weft.io.Safetensors;
import dev.weft.text.HuffmanTree;
import dev.weft.text.TextReader;
import dev.weft.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Models of word2vec as safetensors files. */
final class Word2VecFile {
  private static final String FORMAT = "format";
  private static final String WORD2VEC = "weft.word2vec";
  private static final String CONTEXTS = "contexts";
  private static final String OFFSETS = "path_offsets";
  private static final String NODES = "path_nodes";
  private static final String BITS = "path_bits";
  private static final String TOKENS = "tokens";
  private static final String TEXT_TOKENS = "text_tokens";
  private static final String CHECKSUM = "text_checksum";
  private static final String SENTENCES = "sentences";
  private static final String LETTERS = "letters";
  private static final String NORMALIZATION = "normalization";
  private static final String SPACES = "spaces";
  private static final String LONGEST_WORD = "longest_word";

  private final Path path;
  private final Safetensors.Contents contents;

  private Word2VecFile(Path path, Safetensors.Contents contents) {
    this.path = path;
    this.contents = contents;
  }

  static void write(Word2VecModel model, Path path) throws IOException {
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
    Vocabulary vocabulary = model.vocabulary();
    long words = vocabulary.size();
    long dimension = model.settings().dimension();
    put(tensors, MatrixReader.VECTORS, "F32", model.input(), words, dimension);
    put(tensors, CONTEXTS, "F32", model.output(), model.outputs(), dimension);
    // no word of a vocabulary holds a control character
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int word = 0; word < words; word++) {
      text.writeBytes(vocabulary.word(word).getBytes(StandardCharsets.UTF_8));
      text.write('\n');
    }
    put(tensors, MatrixReader.WORDS, "U8", MemorySegment.ofArray(text.toByteArray()), text.size());
    put(tensors, MatrixReader.COUNTS, "I64", MemorySegment.ofArray(vocabulary.counts()), words);
    HuffmanTree tree = model.tree();
    if (tree != null) {
      long nodes = tree.nodes().length;
      put(tensors, OFFSETS, "I32", MemorySegment.ofArray(tree.offsets()), words + 1);
      put(tensors, NODES, "I32", MemorySegment.ofArray(tree.nodes()), nodes);
      put(tensors, BITS, "U8", MemorySegment.ofArray(tree.bits()), nodes);
    }
    Map<String, String> metadata = settings(model.settings());
    Word2VecModel.Position position = model.position();
    TextReader reader = position.reader();
    metadata.put(SENTENCES, reader.sentences().name());
    metadata.put(LETTERS, reader.letters().name());
    metadata.put(NORMALIZATION, reader.normalization().name());
    metadata.put(SPACES, reader.spaces().name());
    metadata.put(LONGEST_WORD, Integer.toString(reader.longestWord()));
    metadata.put(FORMAT, WORD2VEC);
    metadata.put(TOKENS, Long.toString(position.tokens()));
    metadata.put(TEXT_TOKENS, Long.toString(position.textTokens()));
    metadata.put(CHECKSUM, Long.toString(position.checksum()));
    Safetensors.write(path, tensors, metadata);
  }

  private static void put(
      Map<String, Safetensors.Entry> tensors,
      String name,
      String dtype,
      MemorySegment data,
      long... shape) {
    tensors.put(name, new Safetensors.Entry(dtype, shape, data));
  }

  static Word2VecModel read(Path path) throws IOException {
    Optional<VectorFormat> format = VectorFormat.of(path);
    if (format.isPresent() && format.get() != VectorFormat.SAFETENSORS) {
      throw new FormatException(
          path,
          0,
          format(
              "word vectors alone, as %s: a model, which also has what training goes on with, is"
                  + " what weft embed train --checkpoint and Word2VecModel.save write",
              VectorFormat.words(format.get())));
    }
    Arena arena = Arena.ofShared();
    try {
      return read(path, arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private static Word2VecModel read(Path path, Arena arena) throws IOException {
    Safetensors.Contents contents = Safetensors.map(path, arena);
    String format = contents.metadata().get(FORMAT);
    if (!WORD2VEC.equals(format)) {
      throw new FormatException(
          path,
          0,
          format(
              "no model of word2vec: its metadata say format %s, expected %s; a file of vectors"
                  + " alone lacks what training goes on with",
              format, WORD2VEC));
    }
    return new Word2VecFile(path, contents).model(arena);
  }

  private Word2VecModel model(Arena arena) throws FormatException {
    Word2Vec settings = settings();
    Vocabulary vocabulary = vocabulary();
    int words = vocabulary.size();
    boolean hierarchical = settings.objective() == Word2Vec.Objective.HIERARCHICAL_SOFTMAX;
    Word2VecModel.Position position =
        new Word2VecModel.Position(
            whole(TOKENS), whole(TEXT_TOKENS), whole(CHECKSUM), reader(vocabulary));
    if (position.textTokens() < 1
        || position.textTokens() > Long.MAX_VALUE / settings.epochs()
        || position.tokens() > settings.epochs() * position.textTokens()) {
      throw wrong(
          format(
              "%,d tokens are trained, of %d readings of a text of %,d",
              position.tokens(), settings.epochs(), position.textTokens()));
    }
    if (position.tokens() % position.textTokens() % Word2VecTraining.UNIT != 0) {
      throw wrong(
          format(
              "%,d tokens are trained, of readings of %,d: none ends there, nor a multiple of %,d"
                  + " of one",
              position.tokens(), position.textTokens(), Word2VecTraining.UNIT));
    }
    return new Word2VecModel(
        settings,
        vocabulary,
        tensor(MatrixReader.VECTORS, "F32", words, settings.dimension()),
        tensor(CONTEXTS, "F32", hierarchical ? words - 1 : words, settings.dimension()),
        hierarchical ? tree(words) : null,
        position,
        arena);
  }

  private TextReader reader(Vocabulary vocabulary) throws FormatException {
    Object sentences = setting(SENTENCES, TextReader.Sentences.class);
    TextReader lines =
        sentences == TextReader.Sentences.LINES ? TextReader.lines() : TextReader.stream();
    TextReader reader =
        lines
            .letters((TextReader.Letters) setting(LETTERS, TextReader.Letters.class))
            .normalization(
                (TextReader.Normalization) setting(NORMALIZATION, TextReader.Normalization.class))
            .spaces((TextReader.Spaces) setting(SPACES, TextReader.Spaces.class))
            .vocabulary(vocabulary);
    try {
      return reader.longestWord((int) setting(LONGEST_WORD, int.class));
    } catch (IllegalArgumentException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  private Vocabulary vocabulary() throws FormatException {
    MemorySegment text = tensor(MatrixReader.WORDS, "U8", -1);
    List<String> words;
    try {
      ByteBuffer bytes = ByteBuffer.wrap(text.toArray(ValueLayout.JAVA_BYTE));
      String lines = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
      words = Arrays.asList(lines.split("\n"));
    } catch (CharacterCodingException e) {
      throw wrong("tensor words is not UTF-8");
    }
    MemorySegment counts = tensor(MatrixReader.COUNTS, "I64", words.size());
    try {
      return Vocabulary.inOrder(words, counts.toArray(ValueLayout.JAVA_LONG_UNALIGNED));
    } catch (IllegalArgumentException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  private HuffmanTree tree(int words) throws FormatException {
    MemorySegment offsets = tensor(OFFSETS, "I32", words + 1L);
    MemorySegment nodes = tensor(NODES, "I32", -1);
    MemorySegment bits = tensor(BITS, "U8", -1);
    try {
      return HuffmanTree.of(
          offsets.toArray(ValueLayout.JAVA_INT_UNALIGNED),
          nodes.toArray(ValueLayout.JAVA_INT_UNALIGNED),
          bits.toArray(ValueLayout.JAVA_BYTE));
    } catch (IllegalArgumentException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  /** A tensor's numbers; a size of -1 may be any. */
  private MemorySegment tensor(String name, String dtype, long... shape) throws FormatException {
    Safetensors.Entry entry = contents.tensors().get(name);
    if (entry == null) {
      throw wrong("the tensor " + name + " is not there");
    }
    boolean sized = entry.dtype().equals(dtype) && entry.shape().length == shape.length;
    for (int i = 0; sized && i < shape.length; i++) {
      sized = shape[i] < 0 ? entry.shape()[i] < Integer.MAX_VALUE : shape[i] == entry.shape()[i];
    }
    if (!sized) {
      throw wrong(
          format(
              "tensor %s is %s of shape %s, expected %s of %s",
              name,
              entry.dtype(),
              Arrays.toString(entry.shape()),
              dtype,
              Arrays.toString(shape).replace("-1", "any size")));
    }
    return entry.data();
  }

  private long whole(String key) throws FormatException {
    String text = contents.metadata().get(key);
    if (text == null || !text.matches("[0-9]{1,18}")) {
      throw wrong(format("the metadata say %s %s, expected a whole number", key, text));
    }
    return Long.parseLong(text);
  }

  private FormatException wrong(String what) {
    return new FormatException(path, 0, "a damaged model of word2vec: " + what);
  }

  /** All settings by their names. */
  private static Map<String, String> settings(Word2Vec settings) {
    Map<String, String> texts = new LinkedHashMap<>();
    try {
      for (RecordComponent setting : Word2Vec.class.getRecordComponents()) {
        Object value = setting.getAccessor().invoke(settings);
        texts.put(setting.getName(), value instanceof Enum<?> e ? e.name() : value.toString());
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
    return texts;
  }

  private Word2Vec settings() throws FormatException {
    RecordComponent[] settings = Word2Vec.class.getRecordComponents();
    Object[] values = new Object[settings.length];
    Class<?>[] types = new Class<?>[settings.length];
    for (int i = 0; i < settings.length; i++) {
      types[i] = settings[i].getType();
      values[i] = setting(settings[i].getName(), types[i]);
    }
    try {
      return Word2Vec.class.getConstructor(types).newInstance(values);
    } catch (InvocationTargetException e) {
      throw wrong(String.valueOf(e.getTargetException().getMessage()));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private Object setting(String name, Class<?> type) throws FormatException {
    String text = contents.metadata().get(name);
    if (text != null) {
      try {
        if (type == int.class) {
          return Integer.valueOf(text);
        } else if (type == long.class) {
          return Long.valueOf(text);
        } else if (type == double.class) {
          return Double.valueOf(text);
        }
      } catch (NumberFormatException e) {
        throw wrong(format("the setting %s is '%s', expected a number", name, text));
      }
      Object[] allowed = type.getEnumConstants();
      for (Object value : allowed) {
        if (((Enum<?>) value).name().equals(text)) {
          return value;
        }
      }
      throw wrong(
          format(
              "the setting %s is '%s', expected one of %s", name, text, Arrays.toString(allowed)));
    }
    throw wrong(format("the setting %s is not in the metadata", name));
  }
}
