import { Choice, type Random } from './random.ts'

/** Who somebody is, apart from what they do. Nobody's real data: see `phone`. */
export interface Person {
  name: string
  gender: '女' | '男'
  birthday: string
  province: string
  city: string
  /** On a prefix that no operator has been given, so that nobody can be reached by it. */
  phone: string
}

const SURNAMES =
  '王7李7张7刘5陈5杨4黄3赵3吴3周3徐2孙2马2朱2胡2郭2何2林2高2罗2郑2梁2谢2宋2唐2许2韩2冯2邓1曹1彭1曾1肖1田1董1潘1袁1蔡1蒋1余1于1杜1叶1程1苏1魏1吕1丁1任1沈1姚1卢1姜1崔1钟1谭1陆1汪1范1廖1石1金1韦1贾1夏1付1方1邹1熊1白1孟1秦1邱1侯1江1尹1薛1阎1雷1龙1史1陶1贺1顾1毛1郝1龚1邵1万1钱1严1武1戴1莫1孔1向1汤1'
const FEMALE =
  '婷雅静怡欣悦梦琪思雨佳晨子涵诗若可心语嫣晓雯慧敏洁玲莹雪倩蕾薇璐瑶珊楠萱宁妍彤菲瑾岚清晴知夏念安然书韵初南乔汐禾'
const MALE = '伟强磊洋勇杰涛明超军浩宇轩辰泽睿航博文哲俊凯嘉豪子墨天佑鹏飞志远一鸣思源景行'

const surnames = new Choice(
  [...SURNAMES.matchAll(/(\D)(\d)/gu)].map(([, name, weight]) => ({
    name: name as string,
    weight: Number(weight),
  })),
  ({ weight }) => weight,
)

/** Cities with about ten thousands of inhabitants, online shoppers being likelier in the large ones. */
const CITIES: Record<string, string> = {
  上海: '上海市2480',
  北京: '北京市2180',
  重庆: '重庆市1600',
  天津: '天津市1360',
  广东省: '广州市1880 深圳市1770 东莞市1050 佛山市960 惠州市610 中山市440 汕头市550 珠海市250',
  浙江省: '杭州市1250 宁波市970 温州市970 嘉兴市560 金华市710 绍兴市540 台州市670',
  江苏省: '苏州市1290 南京市950 无锡市750 南通市770 常州市540 徐州市900 扬州市460',
  四川省: '成都市2130 绵阳市490 宜宾市460 南充市550',
  湖北省: '武汉市1370 襄阳市530 宜昌市390',
  山东省: '青岛市1030 济南市940 烟台市700 潍坊市940 临沂市1090',
  河南省: '郑州市1280 洛阳市700 南阳市960',
  福建省: '厦门市530 福州市840 泉州市890',
  湖南省: '长沙市1040 株洲市390 衡阳市660',
  安徽省: '合肥市960 芜湖市370 阜阳市810',
  陕西省: '西安市1300 宝鸡市330',
  辽宁省: '沈阳市910 大连市750',
  河北省: '石家庄市1120 保定市1150 唐山市770',
  江西省: '南昌市650 赣州市900',
  云南省: '昆明市850 大理白族自治州330',
  广西壮族自治区: '南宁市880 柳州市420',
  贵州省: '贵阳市620',
  山西省: '太原市540',
  黑龙江省: '哈尔滨市990',
  吉林省: '长春市910',
  甘肃省: '兰州市440',
  海南省: '海口市290 三亚市110',
  内蒙古自治区: '呼和浩特市350',
  新疆维吾尔自治区: '乌鲁木齐市410',
  宁夏回族自治区: '银川市290',
}

const cities = new Choice(
  Object.entries(CITIES).flatMap(([province, list]) =>
    list.split(' ').map((entry) => {
      const [, city, inhabitants] = /^(\D+)(\d+)$/.exec(entry) as unknown as [string, string, string]
      return { province, city, weight: Number(inhabitants) ** 1.15 }
    }),
  ),
  ({ weight }) => weight,
)

/** `number` makes the phone one of a kind; ages count back from `year`. */
export function makePerson(random: Random, number: number, year: number): Person {
  const gender = random.chance(0.83) ? '女' : '男'
  const characters = [...(gender === '女' ? FEMALE : MALE)]
  const given = random.pick(characters) + (random.chance(0.82) ? random.pick(characters) : '')
  const { province, city } = cities.pick(random)
  // Most customers are in their twenties and thirties.
  const age = Math.min(72, Math.round(18 + 14 * random.logNormal(0.55)))
  const birthday = `${year - age}-${two(random.whole(1, 12))}-${two(random.whole(1, 28))}`
  return {
    name: surnames.pick(random).name + given,
    gender,
    birthday,
    province,
    city,
    phone: phoneOf(number),
  }
}

/** 142 and 143 belong to no operator. Multiplying by an odd number keeps numbers different and hides their order. */
function phoneOf(number: number): string {
  return `14${2 + (number & 1)}${String((number * 7_368_787 + 2_046) % 100_000_000).padStart(8, '0')}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
