# SPDX-License-Identifier: Apache-2.0
"""Trains word vectors with gensim: TEXT VECTORS SG HS DIM WINDOW SAMPLE MIN_COUNT RATE THREADS EPOCHS."""

import sys

from gensim.models.word2vec import Text8Corpus, Word2Vec

text, vectors = sys.argv[1:3]
sg, hs, dim, window = map(int, sys.argv[3:7])
sample, min_count, rate = float(sys.argv[7]), int(sys.argv[8]), float(sys.argv[9])
threads, epochs = map(int, sys.argv[10:12])

# the fast reader deals whole lines to threads, so that a text of one line would occupy one of them
with open(text, "rb") as lines:
    many = b"\n" in lines.read(1 << 20)
source = {"corpus_file": text} if many else {"sentences": Text8Corpus(text)}

model = Word2Vec(
    **source, sg=sg, hs=hs, negative=0 if hs else 5, vector_size=dim, window=window, sample=sample,
    min_count=min_count, alpha=rate, min_alpha=rate * 1e-4, workers=threads, epochs=epochs,
)
model.wv.save_word2vec_format(vectors, binary=True)
