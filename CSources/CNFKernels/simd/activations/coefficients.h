/* Made by Scripts/make_coefficients.py, which says how. Coefficients of rising powers; each with the function, its
 * variable and interval, and the largest error of the rounded coefficients in exact arithmetic. */
/* clang-format off */
#if CNF_REAL_BITS == 32

/* r coth(r/2) in r^2, |r| <= ln(2)/2; relative: 2^-28.75 */
#define EXP_EVEN {0x1p+1f, 0x1.55551ep-3f, -0x1.6aa356p-9f}

/* (atanh(w)/w - 1)/w^2 in w^2, w <= 1/3; relative to atanh(w): 2^-27.73 */
#define ATANH_TAIL {0x1.555502p-2f, 0x1.99d1dp-3f, 0x1.1ebfd2p-3f, 0x1.1ecce8p-3f}

/* (sin(r)/r - 1)/r^2 in r^2, |r| <= pi/2; relative to sin(r): 2^-27.27 */
#define SIN_TAIL {-0x1.55554cp-3f, 0x1.110edap-7f, -0x1.9f70eep-13f, 0x1.5dc8c4p-19f}

/* (cos(r) - 1)/r^2 in r^2, |r| <= pi/2; of cos(r), absolute: 2^-31.09 */
#define COS_TAIL {-0x1p-1f, 0x1.55555p-5f, -0x1.6c14b8p-10f, 0x1.9f931cp-16f, -0x1.196ac8p-22f}

/* e^(t^2/2) Phi(-t) in t, 0 <= t <= 13.25; relative: 2^-27.14 */
#define MILLS_P {0x1p-1f, 0x1.bd50fep-2f, 0x1.7203c4p-3f, 0x1.45b4e2p-5f, 0x1.051242p-8f}
#define MILLS_Q {0x1p+0f, 0x1.aaeaacp+0f, 0x1.312214p+0f, 0x1.d9cc4p-2f, 0x1.983e4cp-4f, 0x1.47331ap-7f}

/* tanh(x/2)/x in x^2, |x| <= 8.8; relative, over cosh(x): 2^-27.02 */
#define TANH_P {0x1.d8p-2f, 0x1.c1eb6ap-7f, 0x1.baf80ep-15f}
#define TANH_Q {0x1.d8p-1f, 0x1.ab257ep-4f, 0x1.23f0f2p-10f, 0x1.31bbep-20f}

/* ln 2 and pi in parts, all but the last short: their products with small integers are exact */
#define LN2_PARTS {0x1.62ep-1f, 0x1.0bfbe8p-15f}
#define PI_PARTS {0x1.922p+1f, -0x1.2aep-17f, -0x1.deap-30f, 0x1.184698p-43f}
#define LOG2_E 0x1.715476p+0f
#define ONE_OVER_PI 0x1.45f306p-2f
#define NORMAL_PEAK 0x1.988454p-2f
#define SIN_END 0x1.9238d8p+12f

#else

/* r coth(r/2) in r^2, |r| <= ln(2)/2; relative: 2^-60.02 */
#define EXP_EVEN {0x1p+1, 0x1.555555555553ep-3, -0x1.6c16c16bebb5ep-9, 0x1.1566aaf1d8b8fp-14, \
  -0x1.bbd41ad28a421p-20, 0x1.6375d1354d733p-25}

/* (atanh(w)/w - 1)/w^2 in w^2, w <= 1/3; relative to atanh(w): 2^-59.4 */
#define ATANH_TAIL {0x1.5555555555535p-2, 0x1.99999999a0751p-3, 0x1.249249208c4c6p-3, 0x1.c71c741c7c9b8p-4, \
  0x1.745cb3fe7217ep-4, 0x1.3b1ddb9c923b3p-4, 0x1.1067c27d70cc9p-4, 0x1.efd87cd303499p-5, 0x1.55b00dbad20d4p-5, \
  0x1.5c7a01746adcap-4}

/* (sin(r)/r - 1)/r^2 in r^2, |r| <= pi/2; relative to sin(r): 2^-61.55 */
#define SIN_TAIL {-0x1.5555555555555p-3, 0x1.11111111110c8p-7, -0x1.a01a01a014d6fp-13, 0x1.71de3a52a0aa5p-19, \
  -0x1.ae6454d46babdp-26, 0x1.6123cd0354583p-33, -0x1.ae4382e72eff7p-41, 0x1.88326f75968e1p-49}

/* (cos(r) - 1)/r^2 in r^2, |r| <= pi/2; of cos(r), absolute: 2^-66.31 */
#define COS_TAIL {-0x1p-1, 0x1.5555555555555p-5, -0x1.6c16c16c16bbbp-10, 0x1.a01a01a0153c9p-16, \
  -0x1.27e4fb7579f44p-22, 0x1.1eed8df6c6a07p-29, -0x1.9396aaa42bf76p-37, 0x1.ae45d7648bc96p-45, \
  -0x1.5cd9bf24fa881p-53}

/* e^(t^2/2) Phi(-t) in t, 0 <= t <= 37.75; relative: 2^-55.03 */
#define MILLS_P {0x1p-1, 0x1.a759e7ccc8278p-1, 0x1.5b1528eaf3f7bp-1, 0x1.6c88407bd3d08p-2, 0x1.0d087fe6e79a7p-3, \
  0x1.223cf48b6ef15p-5, 0x1.cee2fbceb31ccp-8, 0x1.0dbaa3e25e6cbp-10, 0x1.b9514720ffd5dp-14, 0x1.ccdb1a81183d4p-18, \
  0x1.d8207ab0c12a6p-23}
#define MILLS_Q {0x1p+0, 0x1.39ce08b5b4edp+1, 0x1.67ebdd88f7c54p+1, 0x1.fee6191fe086dp+0, 0x1.f3ca5dca20687p-1, \
  0x1.62c72e90e19e4p-2, 0x1.762ec7b501fffp-4, 0x1.265fd25db1417p-6, 0x1.544fbd9efe823p-9, 0x1.1521f0c9e5eb1p-12, \
  0x1.20cc706e44bd6p-16, 0x1.27dc948d130bcp-21}

/* ln 2 and pi in parts, all but the last short: their products with small integers are exact */
#define LN2_PARTS {0x1.62e42fefap-1, 0x1.cf79abc9e3b3ap-40}
#define PI_PARTS {0x1.921fb544p+1, 0x1.0b4611a6p-33, 0x1.3198a2e037073p-68}
#define LOG2_E 0x1.71547652b82fep+0
#define ONE_OVER_PI 0x1.45f306dc9c883p-2
#define NORMAL_PEAK 0x1.9884533d43651p-2
#define SIN_END 0x1.921fe788397a1p+19

#endif
/* clang-format on */
