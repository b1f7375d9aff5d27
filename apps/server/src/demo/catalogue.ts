import { Choice, type Random } from './random.ts'

export interface Product {
  id: string
  name: string
  category: string
  /** Yuan. */
  price: number
  /** Days until one is used up. */
  lasts: number
  popularity: number
}

type Line = [name: string, price: number, lasts: number, popularity: number]

const SHELVES: Record<string, Line[]> = {
  精华: [
    ['初霁修护精华 30ml', 329, 45, 10],
    ['初霁修护精华 补充装 30ml', 279, 45, 6],
    ['夜航视黄醇精华 15ml', 399, 60, 5],
    ['澄光维C精华 30ml', 359, 50, 5],
    ['安屿舒缓精华 30ml', 299, 45, 4],
    ['玉露玻尿酸原液 30ml', 189, 40, 5],
    ['青茶多酚精华油 20ml', 429, 75, 2],
    ['初霁修护精华 体验装 7ml', 69, 10, 6],
  ],
  面霜: [
    ['云霭保湿面霜 50g', 259, 60, 8],
    ['云霭保湿面霜 替换芯 50g', 219, 60, 4],
    ['暖屿修护晚霜 50g', 329, 70, 4],
    ['轻岚控油乳 100ml', 199, 60, 4],
    ['敏舒屏障霜 50g', 289, 60, 5],
    ['拾光眼霜 15g', 369, 80, 4],
    ['云霭保湿面霜 旅行装 15g', 89, 18, 3],
    ['儿童润面霜 50g', 129, 60, 2],
  ],
  面膜: [
    ['青提焕亮面膜 5片', 99, 20, 9],
    ['青提焕亮面膜 15片', 259, 60, 4],
    ['雪绒保湿面膜 5片', 89, 20, 7],
    ['黑泥清洁面膜 100g', 139, 70, 4],
    ['安屿舒缓冻膜 100g', 169, 60, 3],
    ['睡眠修护面膜 80g', 179, 60, 3],
    ['眼膜 30对', 159, 45, 3],
  ],
  洁面: [
    ['晨露氨基酸洁面乳 120g', 109, 50, 9],
    ['晨露氨基酸洁面乳 两支装', 189, 100, 4],
    ['初融卸妆油 200ml', 169, 75, 6],
    ['云朵洁面慕斯 150ml', 129, 55, 5],
    ['温和卸妆膏 90g', 149, 70, 4],
    ['洗脸巾 100抽 6包', 79, 90, 5],
    ['男士清爽洁面 120g', 99, 55, 2],
  ],
  防晒: [
    ['轻羽防晒乳 SPF50 50ml', 149, 45, 8],
    ['轻羽防晒乳 双支装', 259, 90, 3],
    ['原野防晒喷雾 120ml', 119, 40, 3],
    ['宝贝物理防晒霜 40g', 139, 50, 2],
    ['晒后修护凝胶 150ml', 99, 60, 3],
    ['防晒唇膏 4g', 59, 60, 2],
  ],
  身体护理: [
    ['山茶花身体乳 250ml', 129, 60, 6],
    ['桂花沐浴露 500ml', 99, 50, 5],
    ['雪松护手霜 3支装', 89, 60, 6],
    ['头皮养护洗发水 400ml', 139, 60, 5],
    ['柔顺发膜 200g', 119, 60, 3],
    ['颈霜 60g', 219, 70, 2],
    ['海盐磨砂膏 250g', 109, 70, 2],
    ['双 11 礼盒 · 修护套装', 1499, 120, 1],
    ['四季护手礼盒', 199, 120, 2],
  ],
  香氛家居: [
    ['雨后扩香 120ml', 239, 90, 3],
    ['雨后扩香 补充液 120ml', 159, 90, 2],
    ['柚木香薰蜡烛 200g', 199, 60, 3],
    ['洗衣凝珠 52颗', 89, 60, 4],
    ['真丝枕套', 299, 400, 2],
    ['棉麻浴巾 2条', 169, 365, 2],
    ['车载香片 3枚', 79, 60, 2],
    ['竹纤维洗碗巾 20片', 49, 60, 2],
  ],
  茶饮食品: [
    ['茉莉冷泡茶 15包', 69, 25, 4],
    ['陈皮白茶 20包', 128, 40, 3],
    ['桃胶燕窝羹 6盏', 258, 12, 3],
    ['黑芝麻丸 30颗', 79, 25, 4],
    ['胶原蛋白饮 14支', 268, 14, 3],
    ['每日坚果 30袋', 139, 30, 4],
    ['中秋礼盒 · 流心月饼', 238, 20, 1],
    ['年货礼盒 · 团圆', 368, 30, 1],
  ],
}

export const products: Product[] = Object.entries(SHELVES).flatMap(([category, lines], shelf) =>
  lines.map(([name, price, lasts, popularity], index) => ({
    id: `CJ${shelf + 1}${String(index + 1).padStart(2, '0')}`,
    name,
    category,
    price,
    lasts,
    popularity,
  })),
)

export const categories = Object.keys(SHELVES)

const any = new Choice(products, ({ popularity }) => popularity)
const byCategory = new Map(
  categories.map((category) => [
    category,
    new Choice(
      products.filter((product) => product.category === category),
      ({ popularity }) => popularity,
    ),
  ]),
)
const favourite = new Choice(categories, (category) =>
  products.reduce((sum, product) => (product.category === category ? sum + product.popularity : sum), 0),
)

/** The shelf a customer comes for. */
export function pickCategory(random: Random): string {
  return favourite.pick(random)
}

/** A product, of the customer's favourite shelf more often than not. */
export function pickProduct(random: Random, category: string): Product {
  return ((random.chance(0.6) ? byCategory.get(category) : undefined) ?? any).pick(random)
}
