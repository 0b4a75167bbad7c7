/* dense_order_test.c - checks the continuous order conditions of every interpolant with a table
 * (solve/methods/dense.c).
 *
 * Let k_i be the slopes, b_i(theta) their weights, and a the matrix whose row i gives the state of slope i. Then sum_i
 * b_i(theta) phi_i(t) = theta^r / gamma(t) must hold for every rooted tree t of r nodes up to the order. Trees are made
 * by Butcher's product t1 t2, which adds the root of t2 as a child of the root of t1: phi_i(t1 t2) = phi_i(t1) sum_j
 * a_ij phi_j(t2) and gamma(t1 t2) = gamma(t1) gamma(t2) r/r1. Every tree is such a product, and some are several.
 */
#include <math.h>

#include "check.h"
#include "solve/methods/dense.h"

enum { MOST_TREES = 256 };

typedef struct tree {
  int nodes;
  double gamma, phi[CNF_DENSE_SLOPES];
} tree;

/* The matrix of all slopes: those of the stages, that of the end (if it is not a stage), and the added ones. Returns
 * the number of slopes. */
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

/* The weights of the slopes at theta, divided by h: cubic Hermite interpolation, where the change x' - x is sum b_i
 * k_i, plus the rows of d. */
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
  /* Sums of `slopes` rounded numbers, none larger than the largest weight. The order conditions of dopri8 hold to
   * 1e-15. */
  const double tolerance = 4 * slopes * largest * 0x1p-52;
  for (int place = 1; place <= 4; ++place) {
    const double theta = place / 4.0;
    weights_at(t, in, theta, b);
    for (int n = 0; n < count; ++n) {
      double sum = 0;
      for (int i = 0; i < slopes; ++i) sum += b[i] * trees[n].phi[i];
      const double expected = pow(theta, trees[n].nodes) / trees[n].gamma;
      char detail[160];
      snprintf(detail, sizeof detail, "%s, theta %g, tree %d of %d nodes: error %g", t->name, theta, n, trees[n].nodes,
               sum - expected);
      check_count(fabs(sum - expected) < tolerance, "order condition", detail, __LINE__);
    }
  }
}

/* A stage whose weight in the solution is 0 is not evaluated with fixed steps, or not with its divergence. So an
 * interpolant must not give it a weight. */
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
