// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.embed.Word2VecModel;
import dev.weft.embed.Word2VecTraining;
import dev.weft.text.Corpus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft embed resume}. */
@Command(
    name = "resume",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Goes on with a training that was interrupted, on the same text, read as it was, by the"
          + " settings that it began with. Checkpoints go to MODEL, unless --checkpoint names"
          + " another file.",
      "On another text, or for more readings, weft embed extend trains."
    },
    footer = {
      "",
      "Examples:",
      "  weft embed resume model.safetensors -train text.txt.gz -output vectors.bin"
    })
final class EmbedResume implements Callable<Integer> {
  @ParentCommand private EmbedCommand parent;

  @Parameters(paramLabel = "MODEL", description = "A file that --checkpoint wrote.")
  private Path file;

  @Mixin private EmbedRun run;

  @Override
  public Integer call() throws IOException {
    try (Word2VecModel model = Word2VecModel.read(file)) {
      resume(model);
    }
    return Main.SUCCESS;
  }

  private void resume(Word2VecModel model) throws IOException {
    if (model.tokens() >= model.ofTokens()) {
      throw new IllegalArgumentException(
          format(
              "%s is trained to the end, %d of %d readings: weft embed extend trains it further,"
                  + " weft embed convert writes its vectors",
              file, model.epoch(), model.settings().epochs()));
    }
    run.resume(file);
    run.check(model.tree() != null, null, "MODEL", file);
    try (Device device = run.device();
        Corpus corpus = run.readAgain(model.reader())) {
      run.announce(corpus, parent.screen());
      try (Word2VecTraining training = model.resume(device, corpus)) {
        run.train(training, corpus, parent);
      }
    }
  }
}
