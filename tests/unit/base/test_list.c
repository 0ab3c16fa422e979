/* Intrusive rings. */

#include "base/list.h"
#include "support/run_tests.h"

struct item {
    int number;
    struct urlp_list link;
};

static struct item *item_of(struct urlp_list *link)
{
    return URLP_CONTAINER(link, struct item, link);
}

/* as_number reads the items' numbers forwards as decimal digits, and checks the way back. */
static int as_number(const struct urlp_list *list)
{
    int number = 0;

    for (struct urlp_list *p = list->next; p != list; p = p->next) {
        ck_assert_ptr_eq(p->next->prev, p);
        ck_assert_ptr_eq(p->prev->next, p);
        number = number * 10 + item_of(p)->number;
    }
    return number;
}

START_TEST(list__keeps_the_order_of_pushes)
{
    struct urlp_list list;
    struct item one = {.number = 1};
    struct item two = {.number = 2};
    struct item three = {.number = 3};

    urlp_list_init(&list);
    ck_assert(urlp_list_is_empty(&list));
    urlp_list_push_back(&list, &one.link);
    urlp_list_push_back(&list, &two.link);
    urlp_list_push_front(&list, &three.link);
    ck_assert(!urlp_list_is_empty(&list));
    ck_assert_int_eq(as_number(&list), 312);
}
END_TEST

START_TEST(list__removing_twice_is_harmless)
{
    struct urlp_list list;
    struct item one = {.number = 1};
    struct item two = {.number = 2};

    urlp_list_init(&list);
    urlp_list_push_back(&list, &one.link);
    urlp_list_push_back(&list, &two.link);
    urlp_list_remove(&one.link);
    urlp_list_remove(&one.link);
    ck_assert_int_eq(as_number(&list), 2);
    urlp_list_remove(&two.link);
    ck_assert(urlp_list_is_empty(&list));
}
END_TEST

RUN_TESTS("list", list__keeps_the_order_of_pushes, list__removing_twice_is_harmless)
