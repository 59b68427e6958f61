// SPDX-License-Identifier: Apache-2.0
//
// How fast word2vec can train on an H100 or H200.
// nvcc -O3 -std=c++17 -gencode=arch=compute_90a,code=sm_90a -o lab_embeddings embeddings.cu
// ./lab_embeddings [A check B learn D C ...] [limit=22]   (no names: A check B learn D C learnC)
// Parts: A random row traffic; check = kernels against a sequential host reference; B skip-gram speed;
//        learn = structured corpus, cosines; C CBOW speed; D pinned host->device copy.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cuda_runtime.h>
#define LAUNCH(k, grid, block, smem, ...) k<<<(grid), (block), (smem)>>>(__VA_ARGS__)
#define SMEM extern __shared__ __align__(128) char smem_[];

constexpr int D = 128, W = 5, RING = 2 * W + 1, NEG = 5, ROWB = D * 4;
constexpr unsigned FULL = 0xffffffffu;
constexpr int TABBITS = 20;

// ---------------------------------------------------------------- device: memory access
__device__ __forceinline__ float4 ldrow(const float* p) {
  float4 v;
  asm volatile("ld.global.cg.v4.f32 {%0,%1,%2,%3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "l"(p));
  return v;
}
__device__ __forceinline__ void strow(float* p, float4 v) {
  asm volatile("st.global.v4.f32 [%0], {%1,%2,%3,%4};" ::"l"(p), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w));
}
__device__ __forceinline__ void red4(float* p, float4 v) {
  asm volatile("red.global.add.v4.f32 [%0], {%1,%2,%3,%4};" ::"l"(p), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w));
}
__device__ __forceinline__ void red1(float* p, float4 v) {
  asm volatile("red.global.add.f32 [%0], %1;\n\tred.global.add.f32 [%0+4], %2;\n\t"
               "red.global.add.f32 [%0+8], %3;\n\tred.global.add.f32 [%0+12], %4;"
               ::"l"(p), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w));
}
__device__ __forceinline__ void bulk_red(float* dst, const void* src) {
  unsigned a = (unsigned)__cvta_generic_to_shared(src);
  asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%0], [%1], %2;" ::"l"(dst), "r"(a), "n"(ROWB) : "memory");
}
__device__ __forceinline__ void bulk_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
__device__ __forceinline__ void bulk_wait_read() { asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory"); }
__device__ __forceinline__ void bulk_wait_all() { asm volatile("cp.async.bulk.wait_group 0;" ::: "memory"); }
__device__ __forceinline__ void fence_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
__device__ __forceinline__ void prefetch_row(const float* p) {
  asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(p), "n"(ROWB) : "memory");
}

__host__ __device__ __forceinline__ uint32_t hsh(uint32_t a, uint32_t b) {
  uint32_t x = a * 0x9E3779B1u ^ (b * 0x85EBCA77u + 0x165667B1u);
  x ^= x >> 16; x *= 0x7feb352du; x ^= x >> 15; x *= 0x846ca68bu; x ^= x >> 16;
  return x;
}
// seed * 64 + slot: slot 0 the window, 1..5 shared negatives, 8..57 negatives of a pair
__host__ __device__ __forceinline__ int window_of(uint32_t q, uint32_t seed) {
  return 1 + (int)(((uint64_t)hsh(q, seed * 64) * W) >> 32);
}
__host__ __device__ __forceinline__ uint32_t neg_slot(uint32_t q, uint32_t seed, int slot) {
  return hsh(q, seed * 64 + slot) >> (32 - TABBITS);
}

__device__ __forceinline__ float dot4(float4 a, float4 b) { return fmaf(a.x, b.x, fmaf(a.y, b.y, fmaf(a.z, b.z, a.w * b.w))); }
__device__ __forceinline__ void axpy(float4& y, float g, float4 x) {
  y.x = fmaf(g, x.x, y.x); y.y = fmaf(g, x.y, y.y); y.z = fmaf(g, x.z, y.z); y.w = fmaf(g, x.w, y.w);
}
__device__ __forceinline__ float4 add4(float4 a, float4 b) { return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }
__device__ __forceinline__ float4 sub4(float4 a, float4 b) { return make_float4(a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w); }
__device__ __forceinline__ float4 zero4() { return make_float4(0.f, 0.f, 0.f, 0.f); }
__device__ __forceinline__ float sigm(float x) { return __fdividef(1.f, 1.f + __expf(-x)); }

// one step of a transposed reduction: the lanes with the bit set keep b, the others a
__device__ __forceinline__ float fold(bool hi, float a, float b, int m) {
  float keep = hi ? b : a, send = hi ? a : b;
  return keep + __shfl_xor_sync(FULL, send, m);
}
// 6 sums in 8 shuffles; lane l ends with sum number which6(l)
__device__ __forceinline__ float reduce6(const float (&d)[6], int lane) {
  bool h4 = lane & 16, h3 = lane & 8, h2 = lane & 4;
  float a0 = fold(h4, d[0], d[3], 16), a1 = fold(h4, d[1], d[4], 16), a2 = fold(h4, d[2], d[5], 16);
  float b0 = fold(h3, a0, a2, 8), b1 = a1 + __shfl_xor_sync(FULL, a1, 8);
  float c = fold(h2, b0, b1, 4);
  c += __shfl_xor_sync(FULL, c, 2);
  return c + __shfl_xor_sync(FULL, c, 1);
}
__device__ __forceinline__ int which6(int l) { return 3 * ((l >> 4) & 1) + ((l & 4) ? 1 : (l & 8) ? 2 : 0); }
__host__ __device__ constexpr int src6(int k) { return (k / 3) * 16 + (k % 3) * 4; }
// 12 sums (6 of each of two contexts) in 13 shuffles
__device__ __forceinline__ float reduce12(const float (&d)[6], const float (&f)[6], int lane) {
  bool h4 = lane & 16, h3 = lane & 8, h2 = lane & 4, h1 = lane & 2;
  float a[6];
#pragma unroll
  for (int k = 0; k < 6; k++) a[k] = fold(h4, d[k], f[k], 16);
  float b0 = fold(h3, a[0], a[3], 8), b1 = fold(h3, a[1], a[4], 8), b2 = fold(h3, a[2], a[5], 8);
  float c0 = fold(h2, b0, b2, 4), c1 = b1 + __shfl_xor_sync(FULL, b1, 4);
  float e = fold(h1, c0, c1, 2);
  return e + __shfl_xor_sync(FULL, e, 1);
}
__device__ __forceinline__ int which12(int l) { return 3 * ((l >> 3) & 1) + ((l & 2) ? 1 : (l & 4) ? 2 : 0); }
__host__ __device__ constexpr int src12(int k) { return (k / 3) * 8 + (k % 3) * 2; }

// ---------------------------------------------------------------- part A: random rows
enum { R_READ, R_STORE, R_RED4, R_RED1, R_BULK };
template <int MODE, int IL>
__global__ void __launch_bounds__(256) rows(float* tab, const int* ids, int n, float c, float* sink) {
  SMEM
  int lane = threadIdx.x & 31, w = (blockIdx.x * blockDim.x + threadIdx.x) >> 5, nw = (gridDim.x * blockDim.x) >> 5;
  float4* stage = (float4*)(smem_) + (threadIdx.x >> 5) * IL * 32;
  float4 s = zero4();
  for (int b = w * 32; b + 32 <= n; b += nw * 32) {
    int id = ids[b + lane];
#pragma unroll 1
    for (int j = 0; j < 32; j += IL) {
      float4 v[IL];
      int r[IL];
#pragma unroll
      for (int i = 0; i < IL; i++) { r[i] = __shfl_sync(FULL, id, j + i); v[i] = ldrow(tab + (size_t)r[i] * D + lane * 4); }
      if (MODE == R_BULK) {
        if (lane < IL) bulk_wait_read();
        __syncwarp();
      }
#pragma unroll
      for (int i = 0; i < IL; i++) {
        float* p = tab + (size_t)r[i] * D + lane * 4;
        float4 u = make_float4(v[i].x * c, v[i].y * c, v[i].z * c, v[i].w * c);
        if (MODE == R_READ) s = add4(s, v[i]);
        else if (MODE == R_STORE) strow(p, add4(v[i], u));
        else if (MODE == R_RED4) red4(p, u);
        else if (MODE == R_RED1) red1(p, u);
        else stage[i * 32 + lane] = u;
      }
      if (MODE == R_BULK) {
        fence_async();
        __syncwarp();
        int mine = __shfl_sync(FULL, id, j + (lane & (IL - 1)));
        if (lane < IL) { bulk_red(tab + (size_t)mine * D, stage + lane * 32); bulk_commit(); }
      }
    }
  }
  if (MODE == R_BULK && lane < IL) bulk_wait_all();
  if (MODE == R_READ && s.x + s.y + s.z + s.w == 1234.5678f) *sink = s.x;
}

// ---------------------------------------------------------------- parts B, C: training
struct P {
  const int* tok; const int* neg; float* in; float* out;
  int n, streams, sl; uint32_t seed; float lr; int strict;
};
enum { SG, EXACT, CBOW };                       // shared negatives, fresh negatives for each pair, CBOW
enum { PLAIN, RED4, RED1, BULK };               // how output rows are written
enum { LATE, L2PF, AHEAD };                     // rows loaded when needed; L2 prefetch 2 words ahead; loaded 1 ahead
constexpr int OFF_BASE = RING * ROWB, OFF_INT = 2 * RING * ROWB;
constexpr int OFF_OID = 64, OFF_EID = 64 + 128;  // after OFF_INT (or 0 without a ring), in bytes
__host__ __device__ constexpr int smem_of(int mode, bool ring) {
  return (ring ? OFF_INT : 0) + 512 + (mode == BULK ? 7 * ROWB : 0);
}

template <int KIND, int MODE, int PF, bool RINGED>
__global__ void w2v(P p) {
  SMEM
  const int lane = threadIdx.x & 31, wib = threadIdx.x >> 5;
  const int s = blockIdx.x * (blockDim.x >> 5) + wib;
  if (s >= p.streams) return;
  char* sm = smem_ + wib * smem_of(MODE, RINGED);
  float4* cur = (float4*)sm + lane;                    // [RING][32]: the lane's own 4 columns
  float4* base = (float4*)(sm + OFF_BASE) + lane;      // the rows as they were read
  char* si = sm + (RINGED ? OFF_INT : 0);
  int* ids = (int*)si;                                 // [16] ids of positions q-5 .. q+8
  int* oid = (int*)(si + OFF_OID);                     // [4][8] target and negatives of positions q .. q+2
  int* eid = (int*)(si + OFF_EID);                     // [64] negatives of each pair of this word
  float4* stage = (float4*)(si + 512);                 // [7][32] rows on their way (BULK)
  const int c0 = (int)((long long)p.n * s / p.streams), len = (int)((long long)p.n * (s + 1) / p.streams) - c0;
  if (len <= 0) return;
  float* const in = p.in + lane * 4;
  float* const out = p.out + lane * 4;
  const int kk = KIND == SG ? which12(lane) : which6(lane);
  const float lab = kk == 0 ? 1.f : 0.f;

  auto row = [](int id) { return (size_t)(id & 0x7fffffff) * D; };
  auto up = [](int sl) { return sl >= RING ? sl - RING : sl; };
  auto down = [](int sl) { return sl < 0 ? sl + RING : sl; };
  auto put = [](float* q, float4 v) { if (MODE == RED1) red1(q, v); else red4(q, v); };
  // ids of the words 0 .. 7 and of the output rows of words 0 and 1
  if (lane < 8) ids[lane] = lane < len ? p.tok[c0 + lane] : 0;
  __syncwarp();
  auto draw = [&](int q) {                             // lanes 0 .. 5
    return lane == 0 ? ids[q & 15] : p.neg[neg_slot(c0 + q, p.seed, lane)];
  };
  auto post = [&](int q, int nid) {
    int tg = __shfl_sync(FULL, nid, 0);
    if (lane > 0 && nid == tg) nid |= 0x80000000;
    if (lane < 6) oid[(q & 3) * 8 + lane] = nid;
    if (PF == L2PF && KIND != EXACT && lane < 6) prefetch_row(p.out + row(nid));
    if (PF == L2PF && KIND == EXACT && lane == 0) prefetch_row(p.out + row(nid));
  };
  int nid = -1;
  const int drawers = KIND == EXACT ? 1 : 6;
  for (int q = 0; q < 2; q++) { if (lane < drawers) nid = draw(q); post(q, nid); }
  if (lane < drawers) nid = draw(2);
  int eA = 0, eB = 0;                                  // EXACT: the next word's negatives
  auto drawpairs = [&](int q) {
    int lim = 10 * window_of(c0 + q, p.seed);          // 2 b contexts, 5 each
    if (lane < lim) eA = p.neg[neg_slot(c0 + q, p.seed, 8 + lane)];
    if (lane + 32 < lim) eB = p.neg[neg_slot(c0 + q, p.seed, 40 + lane)];
  };
  if (KIND == EXACT) drawpairs(0);
  __syncwarp();

  float4 o[6], ahead[6];
  auto load6 = [&](float4 (&r)[6], int q) {
#pragma unroll
    for (int k = 0; k < (KIND == EXACT ? 1 : 6); k++) r[k] = ldrow(out + row(oid[(q & 3) * 8 + k]));
  };
  if (PF == AHEAD) load6(ahead, 0);

  int t = 0, L = 0, slot = 0;
#pragma unroll 1
  for (int q = 0; q < len; q++) {
    if (t == 0) {                                      // a sentence starts: its first rows
      L = min(p.sl, len - q);
      slot = 0;
      if (RINGED)
        for (int i = 0; i < min(W + 1, L); i++) { float4 v = ldrow(in + row(ids[(q + i) & 15])); cur[i * 32] = v; base[i * 32] = v; }
    }
    post(q + 2, nid);
    const int newtok = q + 8 < len ? p.tok[c0 + q + 8] : 0;
    if (lane < drawers) nid = draw(q + 3);
    if (PF == L2PF && RINGED && lane == 6 && q + 7 < len) prefetch_row(p.in + row(ids[(q + 7) & 15]));
    float4 nx = zero4();
    const bool enters = RINGED && t + W + 1 < L;
    if (enters) nx = ldrow(in + row(ids[(q + W + 1) & 15]));
    if (PF == AHEAD) {
#pragma unroll
      for (int k = 0; k < 6; k++) o[k] = ahead[k];
      if (q + 1 < len) load6(ahead, q + 1);
    } else {
      load6(o, q);
    }
    const int b = window_of(c0 + q, p.seed);
    float4 acc[6];

    if (KIND == SG) {
      const float lrk = oid[(q & 3) * 8 + kk] >= 0 ? p.lr : 0.f;
#pragma unroll
      for (int k = 0; k < 6; k++) acc[k] = zero4();
#pragma unroll 1
      for (int j = 1; j <= b; j++) {                   // the words at t - j and t + j together
        const bool l = t >= j, r = t + j < L;
        if (!l && !r) break;
        float4 h1 = zero4(), h2 = zero4();
        const int s1 = down(slot - j) * 32, s2 = up(slot + j) * 32;
        if (l) h1 = RINGED ? cur[s1] : ldrow(in + row(ids[(q - j) & 15]));
        if (r) h2 = RINGED ? cur[s2] : ldrow(in + row(ids[(q + j) & 15]));
        float d[6], f[6];
#pragma unroll
        for (int k = 0; k < 6; k++) { d[k] = dot4(o[k], h1); f[k] = dot4(o[k], h2); }
        const float g = (lab - sigm(reduce12(d, f, lane))) * lrk;
        float4 e1 = RINGED ? h1 : zero4(), e2 = RINGED ? h2 : zero4();
#pragma unroll
        for (int k = 0; k < 6; k++) {
          const float g1 = __shfl_sync(FULL, g, src12(k)), g2 = __shfl_sync(FULL, g, 16 + src12(k));
          axpy(e1, g1, o[k]); axpy(e2, g2, o[k]);
          axpy(acc[k], g1, h1); axpy(acc[k], g2, h2);
        }
        if (RINGED) { if (l) cur[s1] = e1; if (r) cur[s2] = e2; }
        else { if (l) put(in + row(ids[(q - j) & 15]), e1); if (r) put(in + row(ids[(q + j) & 15]), e2); }
      }
    } else if (KIND == CBOW) {
      const float lrk = oid[(q & 3) * 8 + kk] >= 0 ? p.lr : 0.f;
      float4 h = zero4();
      int cnt = 0;
#pragma unroll
      for (int j = 1; j <= W; j++) {
        if (j <= b && t >= j) { h = add4(h, cur[down(slot - j) * 32]); cnt++; }
        if (j <= b && t + j < L) { h = add4(h, cur[up(slot + j) * 32]); cnt++; }
      }
      const float inv = cnt ? __fdividef(1.f, (float)cnt) : 0.f;
      h = make_float4(h.x * inv, h.y * inv, h.z * inv, h.w * inv);
      float d[6];
#pragma unroll
      for (int k = 0; k < 6; k++) d[k] = dot4(o[k], h);
      const float g = (lab - sigm(reduce6(d, lane))) * lrk;
      float4 e = zero4();
#pragma unroll
      for (int k = 0; k < 6; k++) {
        const float gk = __shfl_sync(FULL, g, src6(k));
        axpy(e, gk, o[k]);
        acc[k] = make_float4(gk * h.x, gk * h.y, gk * h.z, gk * h.w);
      }
#pragma unroll
      for (int j = 1; j <= W; j++) {
        if (j <= b && t >= j) { float4* c = cur + down(slot - j) * 32; *c = add4(*c, e); }
        if (j <= b && t + j < L) { float4* c = cur + up(slot + j) * 32; *c = add4(*c, e); }
      }
    } else {                                           // EXACT: 5 fresh negatives for each pair
      const int tg = ids[q & 15];
      eid[lane] = eA == tg ? eA | 0x80000000 : eA;
      eid[32 + lane] = eB == tg ? eB | 0x80000000 : eB;
      __syncwarp();
      if (q + 1 < len) drawpairs(q + 1);
      float4 T = o[0], accT = zero4(), nb[5];
      auto next = [&](int c) {                         // context c: t - j or t + j, j = c / 2 + 1
        for (; c < 2 * b; c++) { int j = (c >> 1) + 1; if (c & 1 ? t + j < L : t >= j) break; }
        return c;
      };
      auto load5 = [&](int c) {
#pragma unroll
        for (int k = 0; k < 5; k++) nb[k] = ldrow(out + row(eid[c * 5 + k]));
      };
      int c = next(0);
      if (c < 2 * b) load5(c);
#pragma unroll 1
      while (c < 2 * b) {
        const int n = next(c + 1), j = (c >> 1) + 1;
        float4 m[5];
#pragma unroll
        for (int k = 0; k < 5; k++) m[k] = nb[k];
        if (PF == AHEAD && n < 2 * b) load5(n);
        float4* hp = cur + (c & 1 ? up(slot + j) : down(slot - j)) * 32;
        const float4 h = *hp;
        float d[6] = {dot4(T, h), dot4(m[0], h), dot4(m[1], h), dot4(m[2], h), dot4(m[3], h), dot4(m[4], h)};
        const float lrk = kk == 0 || eid[c * 5 + kk - 1] >= 0 ? p.lr : 0.f;
        const float g = (lab - sigm(reduce6(d, lane))) * lrk;
        float4 e = h;
        const float g0 = __shfl_sync(FULL, g, 0);
        axpy(e, g0, T);
        axpy(accT, g0, h);
        axpy(T, g0, h);
#pragma unroll
        for (int k = 0; k < 5; k++) {
          const float gk = __shfl_sync(FULL, g, src6(k + 1));
          axpy(e, gk, m[k]);
          const int id = eid[c * 5 + k];
          if (id >= 0) {
            float4 u = MODE == PLAIN ? m[k] : zero4();
            axpy(u, gk, h);
            if (MODE == PLAIN) strow(out + row(id), u); else put(out + row(id), u);
          }
        }
        *hp = e;
        if (PF != AHEAD && n < 2 * b) load5(n);
        c = n;
      }
      acc[0] = accT;
    }

    // write the output rows, and the context row that leaves the ring
    const bool leaves = RINGED && t >= W;
    float4* const lp = cur + down(slot - W) * 32;
    float4* const lb = base + down(slot - W) * 32;
    if (MODE == BULK) {
      if (lane < 7) bulk_wait_read();
      __syncwarp();
#pragma unroll
      for (int k = 0; k < 6; k++) stage[k * 32 + lane] = acc[k];
      if (leaves) stage[6 * 32 + lane] = sub4(*lp, *lb);
      fence_async();
      __syncwarp();
      if (lane < 6) {
        int id = oid[(q & 3) * 8 + lane];
        if (id >= 0) bulk_red(p.out + row(id), stage + lane * 32);
      } else if (lane == 6 && leaves) {
        bulk_red(p.in + row(ids[(q - W) & 15]), stage + 6 * 32);
      }
      if (lane < 7) { bulk_commit(); if (p.strict) bulk_wait_all(); }
      __syncwarp();
    } else {
#pragma unroll
      for (int k = 0; k < (KIND == EXACT ? 1 : 6); k++) {
        int id = oid[(q & 3) * 8 + k];
        if (id >= 0) { if (MODE == PLAIN) strow(out + row(id), add4(o[k], acc[k])); else put(out + row(id), acc[k]); }
      }
      if (leaves) put(in + row(ids[(q - W) & 15]), sub4(*lp, *lb));
    }
    if (enters) { *lp = nx; *lb = nx; }
    if (t == L - 1) {                                  // the sentence ends: the rows still in the ring
      if (RINGED)
        for (int m = 0; m <= min(W - 1, t); m++) { int x = down(slot - m) * 32; put(in + row(ids[(q - m) & 15]), sub4(cur[x], base[x])); }
      t = 0;
    } else {
      t++;
      slot = up(slot + 1);
    }
    if (lane == 0) ids[(q + 8) & 15] = newtok;
    __syncwarp();
  }
  if (MODE == BULK && lane < 7) bulk_wait_all();
}

__global__ void fill(float* x, size_t n, uint32_t seed, float scale) {
  for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (size_t)gridDim.x * blockDim.x)
    x[i] = ((hsh((uint32_t)i, seed) >> 8) * (1.f / 16777216.f) - 0.5f) * scale;
}
__global__ void absmax(const float* x, size_t n, unsigned* m) {   // NaN and infinity compare as the largest
  unsigned v = 0;
  for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (size_t)gridDim.x * blockDim.x)
    v = max(v, __float_as_uint(x[i]) & 0x7fffffffu);
  atomicMax(m, v);
}

// ---------------------------------------------------------------- host: machinery
struct Shared { volatile int step, dead; };
static Shared* shr;
static int resume_from = 0, step_no = 0;
static std::chrono::steady_clock::time_point T0;
static double limit_s = 22;
static double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now() - T0).count(); }
static void say(const char* f, ...) {
  va_list a; va_start(a, f); vprintf(f, a); va_end(a); printf("\n"); fflush(stdout);
}
// A step is one line of output; after a fault that spoils the context a new process goes on with the next step.
static bool step(const char* name) {
  int me = step_no++;
  if (me < resume_from) return false;
  shr->step = me;
  if (now() > limit_s) { say("%s: skipped, %.0f s are over", name, limit_s); return false; }
  return true;
}
static bool ok(cudaError_t e, const char* what) {
  if (e == cudaSuccess) return true;
  say("FAILED %s: %s", what, cudaGetErrorString(e));
  cudaGetLastError();
  if (cudaDeviceSynchronize() != cudaSuccess) { say("the context is spoilt; a new process goes on"); fflush(stdout); _exit(77); }
  return false;
}
#define TRY(x) ok((x), #x)
static void on_alarm(int) { static const char m[] = "ALARM: out of time, stopped\n"; ssize_t r = write(1, m, sizeof m - 1); (void)r; _exit(3); }

template <class T> struct Buf {
  T* p = nullptr; size_t n = 0;
  bool make(size_t m) { drop(); n = m; return ok(cudaMalloc((void**)&p, m * sizeof(T)), "cudaMalloc"); }
  bool put(const std::vector<T>& v) { return make(v.size()) && ok(cudaMemcpy(p, v.data(), n * sizeof(T), cudaMemcpyHostToDevice), "copy in"); }
  bool get(std::vector<T>& v) { v.resize(n); return ok(cudaMemcpy(v.data(), p, n * sizeof(T), cudaMemcpyDeviceToHost), "copy out"); }
  void drop() { if (p) cudaFree(p); p = nullptr; n = 0; }
  ~Buf() { drop(); }
};
static int sms = 132;

// median ms of up to reps runs after one warm run; -1 on failure
template <class F> static double timed(F f, int reps, double budget_ms = 150) {
  cudaEvent_t a, b;
  if (!TRY(cudaEventCreate(&a))) return -1;
  if (!TRY(cudaEventCreate(&b))) return -1;
  std::vector<double> ms;
  double sum = 0;
  for (int i = 0; i <= reps; i++) {
    bool good = TRY(cudaEventRecord(a));
    f();
    good = good && TRY(cudaGetLastError()) && TRY(cudaEventRecord(b)) && TRY(cudaEventSynchronize(b));
    float t = 0;
    good = good && TRY(cudaEventElapsedTime(&t, a, b));
    if (!good) { ms.clear(); break; }
    if (i > 0) ms.push_back(t);
    sum += t;
    if (i > 0 && sum > budget_ms) break;
  }
  cudaEventDestroy(a); cudaEventDestroy(b);
  if (ms.empty()) return -1;
  std::sort(ms.begin(), ms.end());
  return ms[ms.size() / 2];
}

// ---------------------------------------------------------------- host: texts
struct Rng {                                           // splitmix64
  uint64_t s;
  uint64_t next() { uint64_t z = s += 0x9e3779b97f4a7c15ull; z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull; z = (z ^ z >> 27) * 0x94d049bb133111ebull; return z ^ z >> 31; }
  double uni() { return (next() >> 11) * (1.0 / 9007199254740992.0); }
  int below(int n) { return (int)(((next() >> 32) * (uint64_t)n) >> 32); }
};
struct Alias {                                         // Vose: exact draws in constant time
  std::vector<double> cut; std::vector<int> other;
  explicit Alias(const std::vector<double>& w) : cut(w.size()), other(w.size()) {
    double sum = 0; for (double x : w) sum += x;
    int n = (int)w.size();
    std::vector<int> lo, hi;
    for (int i = 0; i < n; i++) { cut[i] = w[i] * n / sum; other[i] = i; (cut[i] < 1 ? lo : hi).push_back(i); }
    while (!lo.empty() && !hi.empty()) {
      int a = lo.back(), b = hi.back(); lo.pop_back();
      other[a] = b; cut[b] -= 1 - cut[a];
      if (cut[b] < 1) { hi.pop_back(); lo.push_back(b); }
    }
    for (int i : lo) cut[i] = 1;
    for (int i : hi) cut[i] = 1;
  }
  int draw(Rng& r) const { int i = r.below((int)cut.size()); return r.uni() < cut[i] ? i : other[i]; }
};
struct Zipf {
  int V; double kept; std::vector<double> raw, sub;    // raw: the law; sub: after word2vec.c's subsampling
  Zipf(int v, double t = 1e-4) : V(v), raw(v), sub(v) {
    double h = 0; for (int i = 0; i < v; i++) h += 1.0 / (i + 1);
    kept = 0;
    for (int i = 0; i < v; i++) { raw[i] = 1 / (i + 1.0) / h; sub[i] = raw[i] * std::min(1.0, std::sqrt(t / raw[i]) + t / raw[i]); kept += sub[i]; }
  }
  std::vector<int> text(int n, uint64_t seed) const { Alias a(sub); Rng r{seed}; std::vector<int> x(n); for (int& i : x) i = a.draw(r); return x; }
};
static std::vector<int> neg_table(const std::vector<double>& raw) {
  int n = 1 << TABBITS, V = (int)raw.size();
  std::vector<int> t(n);
  double z = 0; for (double x : raw) z += std::pow(x, 0.75);
  int i = 0; double c = std::pow(raw[0], 0.75) / z;
  for (int a = 0; a < n; a++) { t[a] = i; while (i < V - 1 && (a + 1.0) / n > c) { i++; c += std::pow(raw[i], 0.75) / z; } }
  return t;
}

// ---------------------------------------------------------------- part A
template <int IL> static void lineA(const char* what, float* tab, const int* ids, int n, float* sink, int wps) {
  static const char* mode[] = {"rd", "st", "v4", "s4", "bk"};
  void (*ks[])(float*, const int*, int, float, float*) = {rows<R_READ, IL>, rows<R_STORE, IL>, rows<R_RED4, IL>, rows<R_RED1, IL>, rows<R_BULK, IL>};
  std::string s = what;
  for (int m = 0; m < 5; m++) {
    auto k = ks[m];
    int block = wps % 8 == 0 ? 256 : 32, grid = sms * wps * 32 / block;
    int smem = m == R_BULK ? block / 32 * IL * ROWB : 0;
    double ms = timed([&] { LAUNCH(k, grid, block, smem, tab, ids, n, 1e-7f, sink); }, 5, 60);
    char b[64];
    if (ms < 0) snprintf(b, sizeof b, " %s -", mode[m]);
    else snprintf(b, sizeof b, " %s %5.0f %4.0f", mode[m], n / ms / 1e3, (double)n * ROWB * (m ? 2 : 1) / ms / 1e6);
    s += b;
  }
  say("%s", s.c_str());
}
static void partA(bool tiny) {
  int n = tiny ? 2048 : 1 << 21;
  say("A rows of 512 B: M rows/s and GB/s (read, or read + write); rd read, st + store, v4 + red.v4,");
  say("A   s4 + 4 scalar red, bk + cp.reduce.async.bulk; xN: rows in flight a warp; wN: warps an SM");
  Buf<float> tab, sink; Buf<int> ids;
  if (!sink.make(1)) return;
  int Vs[] = {30000, 100000, 1000000};
  for (int V : Vs) {
    if (tiny) V = 500;
    bool have = false;
    for (int z = 0; z < 2; z++) {
      bool put = false;
      for (int v = 0; v < (V == 100000 && z ? 5 : 2); v++) {
        int il = v == 0 ? 1 : 4, wps = v < 2 ? 64 : v == 2 ? 2 : v == 3 ? 8 : 16;
        char w[64];
        snprintf(w, sizeof w, "A %4dk %s x%d w%-2d", V / 1000, z ? "zipf" : "unif", il, wps);
        if (!step(w)) continue;
        if (!have) {
          if (!tab.make((size_t)V * D)) return;
          LAUNCH(fill, sms * 8, 256, 0, tab.p, tab.n, 1u, 1.f);
          if (!TRY(cudaDeviceSynchronize())) return;
          have = true;
        }
        if (!put) {
          std::vector<int> x(n);
          Rng r{7};
          if (z) x = Zipf(V).text(n, 5); else for (int& i : x) i = r.below(V);
          if (!ids.put(x)) return;
          put = true;
        }
        if (il == 1) lineA<1>(w, tab.p, ids.p, n, sink.p, wps); else lineA<4>(w, tab.p, ids.p, n, sink.p, wps);
      }
    }
  }
}

// ---------------------------------------------------------------- variants
typedef void (*Kern)(P);
struct Var { const char* name; int kind, mode, pf; bool ring; Kern k; };
#define V_(n, a, b, c, d) {n, a, b, c, d, w2v<a, b, c, d>}
static const Var VARS[] = {
  V_("shared plain late", SG, PLAIN, LATE, true), V_("shared plain L2pf", SG, PLAIN, L2PF, true), V_("shared plain ahead", SG, PLAIN, AHEAD, true),
  V_("shared red4 late", SG, RED4, LATE, true), V_("shared red4 L2pf", SG, RED4, L2PF, true), V_("shared red4 ahead", SG, RED4, AHEAD, true),
  V_("shared red1 ahead", SG, RED1, AHEAD, true), V_("shared bulk ahead", SG, BULK, AHEAD, true), V_("noring red4 ahead", SG, RED4, AHEAD, false),
  V_("exact plain ahead", EXACT, PLAIN, AHEAD, true), V_("exact red4 late", EXACT, RED4, LATE, true), V_("exact red4 ahead", EXACT, RED4, AHEAD, true),
  V_("cbow plain ahead", CBOW, PLAIN, AHEAD, true), V_("cbow red4 late", CBOW, RED4, LATE, true), V_("cbow red4 L2pf", CBOW, RED4, L2PF, true),
  V_("cbow red4 ahead", CBOW, RED4, AHEAD, true), V_("cbow bulk ahead", CBOW, BULK, AHEAD, true)};
static double bytes_per_word(const Var& v) {           // rows of 512 B, both ways; E[window] = 3
  double r = v.kind == EXACT ? 2 + 2 * 6 * NEG : 2 * (1 + NEG);
  return (r + (v.ring ? 2 : 2 * 6)) * ROWB;
}
static bool prepare(const Var& v, int wpb, int* occ) {
  int smem = wpb * smem_of(v.mode, v.ring);
  if (!TRY(cudaFuncSetAttribute((const void*)v.k, cudaFuncAttributeMaxDynamicSharedMemorySize, smem))) return false;
  if (!TRY(cudaFuncSetAttribute((const void*)v.k, cudaFuncAttributePreferredSharedMemoryCarveout, v.ring ? 100 : 25))) return false;
  int o = 0;
  if (!TRY(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&o, (const void*)v.k, wpb * 32, smem))) return false;
  if (occ) *occ = o * wpb;
  return o > 0;
}
static void train(const Var& v, P p, int wpb) {
  int grid = (p.streams + wpb - 1) / wpb, smem = wpb * smem_of(v.mode, v.ring);
  auto k = v.k;
  LAUNCH(k, grid, wpb * 32, smem, p);
}

// ---------------------------------------------------------------- host reference: one stream, in order
static void reference(const Var& v, const std::vector<int>& tok, const std::vector<int>& neg, std::vector<float>& in, std::vector<float>& out,
                      int sl, uint32_t seed, float lr, int streams = 1) {
  typedef std::vector<float> Row;
  auto get = [](const std::vector<float>& m, int id) { return Row(m.begin() + (size_t)id * D, m.begin() + (size_t)(id + 1) * D); };
  auto dot = [](const Row& a, const Row& b) { float s = 0; for (int i = 0; i < D; i++) s += a[i] * b[i]; return s; };
  auto addto = [](std::vector<float>& m, int id, const Row& d) { for (int i = 0; i < D; i++) m[(size_t)id * D + i] += d[i]; };
  auto sigmoid = [](float x) { return 1.f / (1.f + std::exp(-x)); };
  auto axp = [](Row& y, float g, const Row& x) { for (int i = 0; i < D; i++) y[i] += g * x[i]; };
  for (int s = 0; s < streams; s++) {
    int c0 = (int)((long long)tok.size() * s / streams), len = (int)((long long)tok.size() * (s + 1) / streams) - c0;
    auto targets = [&](int q) { std::vector<int> r{tok[c0 + q]}; for (int k = 1; k <= NEG; k++) r.push_back(neg[neg_slot(c0 + q, seed, k)]); return r; };
    auto rowsof = [&](int q) { std::vector<Row> r; for (int id : targets(q)) r.push_back(get(out, id)); return r; };
    std::vector<Row> ahead;
    if (v.pf == AHEAD) ahead = rowsof(0);
    std::vector<Row> cur, base;                        // of the sentence's words, by position
    for (int q = 0; q < len; q++) {
      int t = q % sl, q0 = q - t, L = std::min(sl, len - q0);
      if (t == 0) { cur.assign(L, Row()); base.assign(L, Row()); for (int i = 0; i < std::min(W + 1, L); i++) base[i] = cur[i] = get(in, tok[c0 + q + i]); }
      Row nx;
      if (t + W + 1 < L) nx = get(in, tok[c0 + q + W + 1]);
      std::vector<Row> o;
      if (v.pf == AHEAD) { o = ahead; if (q + 1 < len) ahead = rowsof(q + 1); } else o = rowsof(q);
      auto id = targets(q);
      int b = window_of(c0 + q, seed);
      std::vector<int> ctx;                            // in the kernel's order
      for (int j = 1; j <= b; j++) { if (t >= j) ctx.push_back(t - j); if (t + j < L) ctx.push_back(t + j); }
      std::vector<Row> acc(6, Row(D, 0.f));
      if (v.kind == CBOW) {
        Row h(D, 0.f), e(D, 0.f);
        for (int c : ctx) axp(h, 1.f, cur[c]);
        for (float& x : h) x *= ctx.empty() ? 0.f : 1.f / ctx.size();
        for (int k = 0; k <= NEG; k++) {
          if (k && id[k] == id[0]) continue;
          float g = ((k == 0) - sigmoid(dot(h, o[k]))) * lr;
          axp(e, g, o[k]); axp(acc[k], g, h);
        }
        for (int c : ctx) axp(cur[c], 1.f, e);
      } else if (v.kind == SG) {
        for (int c : ctx) {
          Row h = v.ring ? cur[c] : get(in, tok[c0 + q0 + c]), e(D, 0.f);
          // without a ring the kernel reads a pair of contexts before it writes either
          if (!v.ring && c > t && t - (c - t) >= 0) h = base[c];
          if (!v.ring && c < t && t + (t - c) < L) base[t + (t - c)] = get(in, tok[c0 + q0 + t + (t - c)]);
          for (int k = 0; k <= NEG; k++) {
            if (k && id[k] == id[0]) continue;
            float g = ((k == 0) - sigmoid(dot(h, o[k]))) * lr;
            axp(e, g, o[k]); axp(acc[k], g, h);
          }
          if (v.ring) axp(cur[c], 1.f, e); else addto(in, tok[c0 + q0 + c], e);
        }
      } else {
        Row T = o[0];
        auto slotof = [&](int c) { int j = std::abs(c - t); return 2 * (j - 1) + (c > t); };
        auto nid = [&](int c, int k) { return neg[neg_slot(c0 + q, seed, 8 + slotof(c) * 5 + k)]; };
        std::vector<Row> nb(5), m;
        if (!ctx.empty()) for (int k = 0; k < 5; k++) nb[k] = get(out, nid(ctx[0], k));
        for (size_t i = 0; i < ctx.size(); i++) {
          int c = ctx[i];
          m = nb;
          if (v.pf == AHEAD && i + 1 < ctx.size()) for (int k = 0; k < 5; k++) nb[k] = get(out, nid(ctx[i + 1], k));
          Row h = cur[c], e(D, 0.f);
          float g0 = (1 - sigmoid(dot(h, T))) * lr;
          axp(e, g0, T); axp(acc[0], g0, h); axp(T, g0, h);
          float g[5];
          for (int k = 0; k < 5; k++) g[k] = -sigmoid(dot(h, m[k])) * lr;
          for (int k = 0; k < 5; k++) {
            if (nid(c, k) == id[0]) continue;
            axp(e, g[k], m[k]);
            Row u(D, 0.f);
            if (v.mode == PLAIN) { u = m[k]; axp(u, g[k], h); std::copy(u.begin(), u.end(), out.begin() + (size_t)nid(c, k) * D); }
            else { axp(u, g[k], h); addto(out, nid(c, k), u); }
          }
          axp(cur[c], 1.f, e);
          if (v.pf != AHEAD && i + 1 < ctx.size()) for (int k = 0; k < 5; k++) nb[k] = get(out, nid(ctx[i + 1], k));
        }
      }
      for (int k = 0; k <= (v.kind == EXACT ? 0 : NEG); k++) {
        if (k && id[k] == id[0]) continue;
        if (v.mode == PLAIN) { Row u = o[k]; axp(u, 1.f, acc[k]); std::copy(u.begin(), u.end(), out.begin() + (size_t)id[k] * D); }
        else addto(out, id[k], acc[k]);
      }
      auto leave = [&](int c) { Row d = cur[c]; axp(d, -1.f, base[c]); addto(in, tok[c0 + q0 + c], d); };
      if (v.ring && t >= W) leave(t - W);
      if (t + W + 1 < L) base[t + W + 1] = cur[t + W + 1] = nx;
      if (v.ring && t == L - 1) for (int m = 0; m <= std::min(W - 1, t); m++) leave(t - m);
    }
  }
}

// ---------------------------------------------------------------- part check
static void partCheck() {
  const int V = 40, sl = 37;                            // 4 sentences, the last short; then texts of 1 and 3 words
  std::string line;
  int bad = 0, done = 0;
  double worst = 0;
  for (const Var& v : VARS) {
    if (!step(v.name)) continue;
    double err = 0, moved = 0;
    bool good = prepare(v, 1, nullptr);
    int lens[] = {4 * sl - 5, 1, 3};
    for (int n : lens) {
      if (!good) break;
      Rng r{11};
      std::vector<int> tok(n), neg(1 << TABBITS);
      for (int& x : tok) x = std::min(r.below(V), r.below(V));
      for (int& x : neg) x = std::min(r.below(V), r.below(V));
      std::vector<float> in((size_t)V * D), out(in.size()), gi, go;
      for (float& x : in) x = (float)(r.uni() - 0.5) * 0.6f;
      for (float& x : out) x = (float)(r.uni() - 0.5) * 0.6f;
      Buf<int> dt, dn; Buf<float> di, dout;
      good = dt.put(tok) && dn.put(neg) && di.put(in) && dout.put(out);
      if (!good) break;
      train(v, P{dt.p, dn.p, di.p, dout.p, n, 1, sl, 3u, 0.05f, 1}, 1);
      good = TRY(cudaGetLastError()) && TRY(cudaDeviceSynchronize()) && di.get(gi) && dout.get(go);
      if (!good) break;
      std::vector<float> ri = in, ro = out;
      reference(v, tok, neg, ri, ro, sl, 3u, 0.05f);
      for (size_t i = 0; i < in.size(); i++) {
        double e = std::max(std::fabs(gi[i] - ri[i]), std::fabs(go[i] - ro[i]));
        if (!(e <= err)) err = e;                      // a NaN stays
        moved = std::max(moved, (double)std::max(std::fabs(ri[i] - in[i]), std::fabs(ro[i] - out[i])));
      }
    }
    done++;
    bool pass = good && err < 1e-4 && moved > 0.01;
    if (!(err <= worst)) worst = err;
    if (!pass) { bad++; say("check %-18s WRONG: error %.2e, moved %.2f%s", v.name, err, moved, good ? "" : " (did not run)"); }
  }
  if (step("check")) say("check %d variants against the host, one stream: %d wrong; worst error %.1e (limit 1e-4)", done, bad, worst);
}

// ---------------------------------------------------------------- parts B and C
static const int STREAMS[] = {264, 1056, 2112, 4224};
struct Text { Buf<int> tok, neg; Buf<float> in, out; Buf<unsigned> mx; double kept = 1; int n = 0, V = 0; };
static bool setup(Text& x, int V, int n) {
  Zipf z(V);
  x.kept = z.kept; x.n = n; x.V = V;
  return x.tok.put(z.text(n, 3)) && x.neg.put(neg_table(z.raw)) && x.in.make((size_t)V * D) && x.out.make((size_t)V * D) && x.mx.make(1);
}
static void speed(const char* part, const Var& v, Text& x, int wpb, const char* note) {
  char name[64];
  snprintf(name, sizeof name, "%s %s%s", part, v.name, note);
  if (!step(name)) return;
  int occ = 0;
  if (!prepare(v, wpb, &occ)) { say("%s: cannot run", name); return; }
  LAUNCH(fill, sms * 8, 256, 0, x.in.p, x.in.n, 1u, 1.f / D);
  LAUNCH(fill, sms * 8, 256, 0, x.out.p, x.out.n, 2u, 0.f);
  if (!TRY(cudaDeviceSynchronize())) return;
  char b[256]; int w = snprintf(b, sizeof b, "%-24s o%-2d", name, occ);
  double best = 0;
  for (int s : STREAMS) {
    uint32_t seed = 1;
    double ms = timed([&] { train(v, P{x.tok.p, x.neg.p, x.in.p, x.out.p, x.n, s, 1000, seed++, 0.025f, 0}, wpb); }, 3);
    if (ms < 0) { w += snprintf(b + w, sizeof b - w, "     -"); continue; }
    double mw = x.n / ms / 1e3;
    best = std::max(best, mw);
    w += snprintf(b + w, sizeof b - w, " %5.1f", mw);
  }
  unsigned m = 0;
  bool g = TRY(cudaMemset(x.mx.p, 0, 4));
  LAUNCH(absmax, sms * 4, 256, 0, x.in.p, x.in.n, x.mx.p);
  LAUNCH(absmax, sms * 4, 256, 0, x.out.p, x.out.n, x.mx.p);
  g = g && TRY(cudaMemcpy(&m, x.mx.p, 4, cudaMemcpyDeviceToHost));
  float f; memcpy(&f, &m, 4);
  say("%s | raw %5.1f, %5.1f kB/w, %5.0f GB/s, max %.1f", b, best / x.kept, bytes_per_word(v) / 1e3, best * bytes_per_word(v) / 1e3, g ? f : -1.f);
}
static void partBC(const char* part, bool cbow) {
  const int n = 4224 * 1000;
  say("%s M kept words/s at 264 1056 2112 4224 streams (oN: resident warps an SM) | best: raw M words/s,", part);
  say("%s   kB a word (both ways), GB/s of rows, largest |weight| after it all", part);
  Text x;
  if (!setup(x, 100000, n)) return;
  say("%s V 100,000, %.1f %% of the words kept, d 128, window 5, 5 negatives, sentences of 1,000", part, 100 * x.kept);
  for (const Var& v : VARS) if ((v.kind == CBOW) == cbow) speed(part, v, x, 1, "");
  if (cbow) return;
  for (const Var& v : VARS) if (!strcmp(v.name, "shared red4 ahead")) {
    speed(part, v, x, 4, " 4w");
    if (setup(x, 30000, n)) speed(part, v, x, 1, " 30k");
    if (setup(x, 1000000, n)) speed(part, v, x, 1, " 1M");
  }
}

// ---------------------------------------------------------------- part learn
// 2,000 words: 190 topics of 10 and 100 words that belong to none (Zipf, a fifth of the text: hot rows)
static const int LV = 2000, LT = 190, LC = 10, LSL = 24, LN = 4224 * LSL * 5, LPASS = 2;
struct Learn { std::vector<int> tok, neg; };
static Learn learn_text(uint64_t seed = 17, int LN = ::LN) {
  Rng r{seed};
  std::vector<double> z(LV - LT * LC), count(LV, 1.0);
  for (size_t i = 0; i < z.size(); i++) z[i] = 1.0 / (i + 1);
  Alias common(z);
  Learn x;
  x.tok.resize(LN);
  for (int i = 0; i < LN; i += LSL) {
    int c = r.below(LT);
    for (int j = 0; j < LSL; j++) count[x.tok[i + j] = r.below(5) == 0 ? LT * LC + common.draw(r) : c * LC + r.below(LC)]++;
  }
  for (double& f : count) f /= LN + LV;
  x.neg = neg_table(count);
  return x;
}
static void cosines(const std::vector<float>& in, double& within, double& across) {
  std::vector<double> nrm(LV);
  auto dot = [&](int a, int b) { double s = 0; for (int i = 0; i < D; i++) s += (double)in[(size_t)a * D + i] * in[(size_t)b * D + i]; return s; };
  for (int i = 0; i < LV; i++) nrm[i] = std::sqrt(dot(i, i)) + 1e-30;
  double w = 0, a = 0; int nw = 0, na = 0;
  for (int i = 0; i < LT * LC; i++) for (int j = i + 1; j < (i / LC + 1) * LC; j++) { w += dot(i, j) / nrm[i] / nrm[j]; nw++; }
  Rng r{5};
  while (na < 20000) { int i = r.below(LT * LC), j = r.below(LT * LC); if (i / LC != j / LC) { a += dot(i, j) / nrm[i] / nrm[j]; na++; } }
  within = w / nw; across = a / na;
}
// loss of a pair (or of a CBOW window) with 5 negatives on fresh text; 4.16 untrained
static double held_out(bool cbow, const Learn& x, const std::vector<float>& in, const std::vector<float>& out) {
  static const std::vector<int> tok = learn_text(99, LSL * 200).tok;
  Rng r{3};
  double sum = 0; int cnt = 0;
  auto loss = [&](const float* h, int target) {
    for (int k = 0; k <= NEG; k++) {
      int id = k ? x.neg[r.next() >> (64 - TABBITS)] : target;
      if (k && id == target) continue;
      double d = 0;
      for (int i = 0; i < D; i++) d += (double)h[i] * out[(size_t)id * D + i];
      sum += k ? (d > 30 ? d : std::log1p(std::exp(d))) : (d < -30 ? -d : std::log1p(std::exp(-d)));
    }
    cnt++;
  };
  for (int i = 0; i < (int)tok.size(); i++) {
    std::vector<float> h(D, 0.f); int m = 0;
    for (int j : {-3, -1, 2}) {
      if (i % LSL + j < 0 || i % LSL + j >= LSL) continue;
      const float* c = &in[(size_t)tok[i + j] * D];
      if (!cbow) loss(c, tok[i]);
      else { m++; for (int k = 0; k < D; k++) h[k] += c[k]; }
    }
    if (cbow) { for (float& f : h) f /= m; loss(h.data(), tok[i]); }
  }
  return sum / cnt;
}
static std::vector<float> learn_init() { std::vector<float> in((size_t)LV * D); Rng r{1}; for (float& x : in) x = (float)(r.uni() - 0.5) / D; return in; }
static const char REF_S[] = "0.910-0.291 1.081 (exact .961-.345 1.073)", REF_C[] = "0.994-0.348 0.677";
static void partLearn(bool cbow) {
  say("learn 190 topics of 10 words + 100 common ones, %.2f M words, %d passes: cosine in topic-across, loss on"
      " fresh text", LN / 1e6, LPASS);
  say("learn   at 33 264 4224 streams, (largest |weight|); CPU, 1 stream: %s", cbow ? REF_C : REF_S);
  Learn text = learn_text();
  Buf<int> dt, dn; Buf<float> di, dout;
  if (!dt.put(text.tok) || !dn.put(text.neg)) return;
  auto init = learn_init();
  std::vector<float> got, gout, zero(init.size(), 0.f);
  const int streams[] = {33, 264, 4224};
  for (const Var& v : VARS) {
    if ((v.kind == CBOW) != cbow || !step(v.name)) continue;
    if (!prepare(v, 1, nullptr)) continue;
    std::string s;
    bool good = true;
    for (int st : streams) {
      if (!di.put(init) || !dout.put(zero)) { good = false; break; }
      for (int e = 0; e < LPASS; e++) train(v, P{dt.p, dn.p, di.p, dout.p, LN, st, LSL, 1u + e, 0.025f, 0}, 1);
      good = TRY(cudaGetLastError()) && TRY(cudaDeviceSynchronize()) && di.get(got) && dout.get(gout);
      if (!good) break;
      double w, a, m = 0;
      cosines(got, w, a);
      for (auto* x : {&got, &gout}) for (float f : *x) if (!(std::fabs(f) <= m)) m = std::fabs(f);
      char b[80];
      snprintf(b, sizeof b, "  %5.3f-%.3f %.3f (%.1f)", w, a, held_out(cbow, text, got, gout), m);
      s += b;
    }
    say("learn %-18s%s%s", v.name, s.c_str(), good ? "" : " FAILED");
  }
}
// on the host: the same text by the reference (no GPU); for choosing the corpus
static void partRefLearn(const char* only) {
  Learn text = learn_text();
  for (const Var& v : VARS) if (!strcmp(v.name, only)) {
    auto in = learn_init(); std::vector<float> out(in.size(), 0.f);
    for (int e = 0; e < 4; e++) { reference(v, text.tok, text.neg, in, out, LSL, 1u + e, 0.025f); double w, a; cosines(in, w, a); say("reflearn %s pass %d: %.3f-%.3f %.3f", v.name, e, w, a, held_out(v.kind == CBOW, text, in, out)); }
  }
}

// ---------------------------------------------------------------- part D
static void partD() {
  const size_t n = 64 << 20;
  if (!step("D")) return;
  int* h = nullptr; Buf<int> d;
  double t0 = now();
  if (!TRY(cudaMallocHost((void**)&h, n * 4))) return;
  double t1 = now();
  memset(h, 1, n * 4);
  if (d.make(n)) {
    double a = timed([&] { cudaMemcpyAsync(d.p, h, n * 4, cudaMemcpyHostToDevice, 0); }, 5);
    double c = timed([&] { for (size_t i = 0; i < n; i += 1 << 20) cudaMemcpyAsync(d.p + i, h + i, 4 << 20, cudaMemcpyHostToDevice, 0); }, 3);
    double b = timed([&] { cudaMemcpyAsync(h, d.p, n * 4, cudaMemcpyDeviceToHost, 0); }, 3);
    std::vector<int> pg(n / 4, 1);
    double e = timed([&] { cudaMemcpy(d.p, pg.data(), n, cudaMemcpyHostToDevice); }, 2);
    say("D 64 M tokens, pinned: in %.1f GB/s (%.0f M tokens/s), in 4 MB pieces %.1f, out %.1f; pageable in %.1f;",
        n * 4 / a / 1e6, n / a / 1e3, n * 4 / c / 1e6, n * 4 / b / 1e6, n / e / 1e6);
    say("D   pinning 256 MB took %.0f ms", 1e3 * (t1 - t0));
  }
  cudaFreeHost(h);
}

static void head() {
  cudaDeviceProp p;
  cudaError_t e = cudaGetDeviceProperties(&p, 0);
  if (e != cudaSuccess) { say("no device: %s", cudaGetErrorString(e)); _exit(78); }
  sms = p.multiProcessorCount;
  int clk = 0, mem = 0;
  cudaDeviceGetAttribute(&clk, cudaDevAttrClockRate, 0);
  cudaDeviceGetAttribute(&mem, cudaDevAttrMemoryClockRate, 0);
  if (resume_from == 0)
    say("lab_embed on %s, %d SMs, L2 %.0f MB, SM %d MHz, memory %d MHz; context after %.1f s", p.name, sms, p.l2CacheSize / 1048576.0, clk / 1000, mem / 1000, now());
}
int main(int argc, char** argv) {
  T0 = std::chrono::steady_clock::now();
  std::vector<std::string> parts;
  for (int i = 1; i < argc; i++) { if (!strncmp(argv[i], "limit=", 6)) limit_s = atof(argv[i] + 6); else parts.push_back(argv[i]); }
  if (parts.empty()) parts = {"A", "check", "B", "learn", "D", "C", "learnC"};
  if (parts[0] == "reflearn") { partRefLearn(parts.size() > 1 ? parts[1].c_str() : "shared red4 ahead"); return 0; }
  shr = (Shared*)mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shr == MAP_FAILED) { perror("mmap"); return 2; }
  int rc = 0;
  for (int tries = 0; tries < 6; tries++) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) { perror("fork"); return 2; }
    if (pid == 0) {
      signal(SIGALRM, on_alarm);
      alarm((unsigned)std::max(1.0, limit_s + 3 - now()));
      head();
      for (auto& n : parts) {
        double t = now();
        if (n == "A") partA(false);
        else if (n == "Atiny") partA(true);
        else if (n == "check") partCheck();
        else if (n == "B") partBC("B", false);
        else if (n == "C") partBC("C", true);
        else if (n == "learn") partLearn(false);
        else if (n == "learnC") partLearn(true);
        else if (n == "D") partD();
        else if (n == "fault") { if (step("fault")) abort(); }   // does the next process go on?
        else { say("no part %s", n.c_str()); continue; }
        say("-- %s: %.1f s", n.c_str(), now() - t);
      }
      say("done after %.1f s", now());
      fflush(stdout);
      _exit(0);
    }
    int st = 0;
    waitpid(pid, &st, 0);
    rc = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
    if (rc == 0 || rc == 3 || rc == 78) break;         // done, out of time, no device
    say("process ended with %d in step %d", rc, shr->step);
    resume_from = shr->step + 1;
    if (now() > limit_s) break;
  }
  return rc;
}
