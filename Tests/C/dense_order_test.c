/* dense_order_test.c - the continuous order conditions of every interpolant that is data (solve/methods/dense.c), by algebra.
 *
 * With slopes k_i, weights b_i(theta) and the matrix a of what each slope's state is made of, sum_i b_i(theta) phi_i(t) = theta^r /
 * gamma(t) for every rooted tree t of r nodes up to the order. Trees are made by Butcher's product: t1 with t2's root as one more
 * child of its own root, phi_i(t1 t2) = phi_i(t1) sum_j a_ij phi_j(t2), gamma(t1 t2) = gamma(t1) gamma(t2) r/r1; all trees are
 * such products, some of them several times.
 */
#include <math.h>

#include "check.h"
#include "solve/methods/dense.h"

enum { MOST_TREES = 256 };

typedef struct tree {
  int nodes;
  double gamma, phi[CNF_DENSE_SLOPES];
} tree;

/* What every slope's state is made of: stages, the end where it is none of them, added ones. Returns how many slopes. */
static int matrix_of(const cnf_tableau *t, const cnf_interpolant *in, double a[CNF_DENSE_SLOPES][CNF_DENSE_SLOPES]) {
  memset(a, 0, sizeof(double) * CNF_DENSE_SLOPES * CNF_DENSE_SLOPES);
  for (int i = 0; i < t->stages; ++i) memcpy(a[i], t->a[i], sizeof t->a[i]);
  memcpy(a[in->end], t->b, sizeof t->b);
  for (int i = 0; i < in->data->added; ++i) memcpy(a[in->end + 1 + i], in->data->a[i], sizeof in->data->a[i]);
  return in->end + 1 + in->data->added;
}

static int trees_of(int slopes, int most, double a[CNF_DENSE_SLOPES][CNF_DENSE_SLOPES], tree *trees) {
  int count = 1;
  trees[0] = (tree){.nodes = 1, .gamma = 1};
  for (int i = 0; i < slopes; ++i) trees[0].phi[i] = 1;
  for (int nodes = 2; nodes <= most; ++nodes) {
    const int before = count;
    for (int n = 0; n < before; ++n)
      for (int m = 0; m < before; ++m) {
        const tree *left = &trees[n], *right = &trees[m];
        if (left->nodes + right->nodes != nodes) continue;
        tree *made = &trees[count++];
        made->nodes = nodes;
        made->gamma = left->gamma * right->gamma * nodes / left->nodes;
        for (int i = 0; i < slopes; ++i) {
          double sum = 0;
          for (int j = 0; j < slopes; ++j) sum += a[i][j] * right->phi[j];
          made->phi[i] = left->phi[i] * sum;
        }
      }
  }
  return count;
}

/* Weights of the slopes at theta, over h: cubic Hermite, in which the change x' - x is sum b_i k_i, and the rows of d. */
static void weights_at(const cnf_tableau *t, const cnf_interpolant *in, double theta, double *b) {
  const double change = theta * theta * (3 - 2 * theta), bump = theta * theta * (1 - theta) * (1 - theta);
  memset(b, 0, sizeof(double) * CNF_DENSE_SLOPES);
  for (int i = 0; i < t->stages; ++i) b[i] = change * t->b[i];
  b[0] += theta * (1 - theta) * (1 - theta);
  b[in->end] -= theta * theta * (1 - theta);
  for (int n = 0; n < in->data->rows; ++n)
    for (int i = 0; i < CNF_DENSE_SLOPES; ++i) b[i] += bump * pow(theta, n) * in->data->d[n][i];
}

static void test_conditions(const cnf_tableau *t, const cnf_interpolant *in) {
  static tree trees[MOST_TREES];
  double a[CNF_DENSE_SLOPES][CNF_DENSE_SLOPES], b[CNF_DENSE_SLOPES], largest = 1;
  const int slopes = matrix_of(t, in, a), count = trees_of(slopes, in->order, a, trees);
  for (int i = 0; i < slopes; ++i)
    for (int n = 0; n < in->data->rows; ++n) largest = fmax(largest, fabs(in->data->d[n][i]));
  /* sums of `slopes` numbers, none larger than the largest weight, each rounded; dopri8's own conditions hold to 1e-15 */
  const double tolerance = 4 * slopes * largest * 0x1p-52;
  for (int place = 1; place <= 4; ++place) {
    const double theta = place / 4.0;
    weights_at(t, in, theta, b);
    for (int n = 0; n < count; ++n) {
      double sum = 0;
      for (int i = 0; i < slopes; ++i) sum += b[i] * trees[n].phi[i];
      const double expected = pow(theta, trees[n].nodes) / trees[n].gamma;
      char detail[160];
      snprintf(detail, sizeof detail, "%s, theta %g, tree %d of %d nodes: off by %g", t->name, theta, n, trees[n].nodes,
               sum - expected);
      check_count(fabs(sum - expected) < tolerance, "order condition", detail, __LINE__);
    }
  }
}

/* No weight may lie on a stage that does not run where steps are fixed, or whose divergence has not been made: one whose weight in
 * the solution is 0. Added states may be made of such a stage where later ones are. */
static void test_weights(const cnf_tableau *t, const cnf_interpolant *in) {
  for (int i = 0; i < t->stages; ++i) {
    if (t->b[i] != 0 || i == in->end) continue;
    for (int n = 0; n < in->data->rows; ++n) CHECK(in->data->d[n][i] == 0);
    for (int n = 0; n < in->data->added; ++n) CHECK(in->data->a[n][i] == 0);
  }
}

int main(void) {
  int listed = 0;
  for (int32_t m = 0; m < cnf_tableau_count(); ++m) {
    const cnf_tableau *t = cnf_tableau_at(m);
    const cnf_interpolant in = cnf_interpolant_of(t);
    CHECK(in.terms >= 2 && in.terms <= CNF_DENSE_TERMS && in.citation != NULL);
    if (!in.data) continue;
    ++listed;
    CHECK(in.order >= 4 && in.order < t->order + 1 && in.terms == 4 + in.data->rows);
    test_conditions(t, &in);
    test_weights(t, &in);
  }
  CHECK(listed == 4);
  return check_report();
}
