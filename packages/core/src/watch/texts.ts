import type { Text } from '../points/points.ts'
import type { AlertKind } from './rules.ts'

export interface AlertText {
  title: Text
  /** What to do next. */
  advice: Text
  /** Page of the admin app where that can be done. */
  to: string | null
}

type Details = Record<string, string | number>
type Tell = (subject: string, details: Details) => AlertText

const text = (en: string, zh: string): Text => ({ en, 'zh-CN': zh })
const tell = (title: Text, advice: Text, to: string | null = null): AlertText => ({ title, advice, to })

const STAGES: Record<string, Text> = {
  profiles: text('Events', '事件'),
  scores: text('Scores', '评分'),
  segments: text('Segments', '人群'),
  journeys: text('Journeys', '旅程'),
  consents: text('Consents', '授权'),
  deliveries: text('Messages', '消息'),
  tasks: text('Tasks', '任务'),
  collections: text('Records', '记录'),
}
const stageOf = (name: string): Text => STAGES[name] ?? text(name, name)

const LOG = text(
  'Look into the log of the server; `huitou doctor` says what is wrong with the installation.',
  '查看服务器日志；`huitou doctor` 会指出安装中的问题。',
)

const TELL: Record<AlertKind, Tell> = {
  stage_lag: (subject, { waiting, minutes }) =>
    tell(
      text(
        `${stageOf(subject).en} are ${minutes} min behind (${waiting} waiting)`,
        `${stageOf(subject)['zh-CN']}处理落后 ${minutes} 分钟（${waiting} 条等待）`,
      ),
      text(
        'It catches up by itself once less comes in. If it keeps growing, look whether an import or an extension is slow, or give the server more processors.',
        '数据减少后会自动追上。如果持续增长，请检查是否有导入或扩展过慢，或增加服务器的处理器。',
      ),
      '/settings/operations',
    ),
  stage_failing: (subject, { minutes }) =>
    tell(
      text(
        `${stageOf(subject).en} have not gone on for ${minutes} min`,
        `${stageOf(subject)['zh-CN']}已中断 ${minutes} 分钟`,
      ),
      LOG,
      '/settings/operations',
    ),
  ingest_silent: (_, { usual, minutes }) =>
    tell(
      text(
        `No event for ${minutes} min; about ${usual} an hour are usual now`,
        `${minutes} 分钟没有收到事件；此时通常每小时约 ${usual} 条`,
      ),
      text(
        'Look whether shop and website still send: a write key that was deleted, a script that was taken out, a webhook that was turned off.',
        '检查店铺和网站是否仍在发送：写入密钥是否被删除、脚本是否被移除、Webhook 是否被关闭。',
      ),
      '/settings/keys',
    ),
  receipts_missing: (_, { sent, hours }) =>
    tell(
      text(
        `${sent} messages sent in ${hours} h, and no provider reported anything`,
        `${hours} 小时内发送了 ${sent} 条消息，但没有收到任何回执`,
      ),
      text(
        'Look in the provider’s console whether the callback address is still set and can be reached from outside.',
        '在服务商后台检查回调地址是否仍然有效，并且可以从外部访问。',
      ),
      '/messages/channels',
    ),
  quota_spent: (_, { name, sent, limit }) =>
    tell(
      text(
        `“${name}” has sent ${sent} of ${limit} messages today`,
        `“${name}”今天已发送 ${sent}/${limit} 条消息`,
      ),
      text(
        'What goes beyond waits for tomorrow. Another account, or a lower priority for what can wait, leaves room for what cannot.',
        '超出部分会等到明天。可以增加账号，或降低可等待消息的优先级。',
      ),
      '/messages/channels',
    ),
  channel_open: (_, { name, failures }) =>
    tell(
      text(
        `Nothing is sent over “${name}”: ${failures} failures in a row`,
        `“${name}”已暂停发送：连续失败 ${failures} 次`,
      ),
      text(
        'It is tried again by itself. Open the account to see the provider’s last answer: credentials, balance, an address that is blocked.',
        '系统会自动重试。打开账号查看服务商的最后一次回应：凭证、余额或被封禁的地址。',
      ),
      '/messages/channels',
    ),
  channel_failing: (_, { percent, failed, all }) =>
    tell(
      text(
        `${percent} % of messages failed within an hour (${failed} of ${all})`,
        `一小时内 ${percent}% 的消息失败（${failed}/${all}）`,
      ),
      text('The log of messages says why, one by one.', '消息日志会逐条说明原因。'),
      '/messages',
    ),
  dead_letters: (_, { count }) =>
    tell(
      text(`${count} messages were given up within an hour`, `一小时内放弃了 ${count} 条消息`),
      text(
        'They were tried as often as they may be. The log says why; from there they can be sent again.',
        '已达到重试上限。日志说明原因，也可以从那里重新发送。',
      ),
      '/messages',
    ),
  tasks_overdue: (_, { count }) =>
    tell(
      text(`${count} tasks are past their time`, `${count} 个任务已超时`),
      text('Hand them to others, or name more people in their queue.', '转交给其他人，或在队列中增加成员。'),
      '/workbench',
    ),
  requests_due: (subject, { count }) =>
    tell(
      subject === 'overdue'
        ? text(
            `${count} requests of customers are past the legal deadline`,
            `${count} 个客户的权利请求已超过法定期限`,
          )
        : text(
            `${count} requests of customers must be answered within days`,
            `${count} 个客户的权利请求即将到期`,
          ),
      text(
        'Answer them in Settings → Privacy → Requests: do what was asked, or refuse with a reason.',
        '在「设置 → 隐私与数据 → 客户请求」中答复：完成请求，或说明拒绝的理由。',
      ),
      '/settings/privacy?part=requests',
    ),
  not_confirmed: (_, { count }) =>
    tell(
      text(
        `${count} messages wait for an employee’s confirmation for more than a day`,
        `${count} 条消息等待员工确认超过一天`,
      ),
      text(
        'The log of messages says who has to confirm them. They go out only then.',
        '消息日志会显示由谁确认。确认后才会发出。',
      ),
      '/messages',
    ),
  plugin_down: (subject, { state }) =>
    tell(
      state === 'quarantined'
        ? text(
            `The extension ${subject} crashed again and again and is kept off`,
            `扩展 ${subject} 反复崩溃，已被停用`,
          )
        : text(`The extension ${subject} does not start`, `扩展 ${subject} 无法启动`),
      text(
        'Its page says what happened. Enable it again, go back a version, or tell its author.',
        '扩展页面会说明原因。可以重新启用、回退版本，或联系作者。',
      ),
      `/extensions/${encodeURIComponent(subject)}`,
    ),
  backup_failed: (_, { code }) =>
    tell(
      text(`The last backup failed (${code})`, `上一次备份失败（${code}）`),
      text(
        'The job says why: mostly there is no room, or the folder cannot be written. Then run `huitou backup`.',
        '任务会说明原因：多数是空间不足或文件夹不可写。处理后运行 `huitou backup`。',
      ),
      '/settings/operations',
    ),
  backup_missing: (_, { hours }) =>
    tell(
      text(`The last whole backup is ${hours} h old`, `最近一次完整备份是 ${hours} 小时前`),
      text(
        'Run `huitou backup` now, and see why the daily one does not.',
        '立即运行 `huitou backup`，并检查每日备份为何没有执行。',
      ),
      '/settings/operations',
    ),
  disk_full: (_, { percent, megabytes }) =>
    tell(
      text(
        `The disk is nearly full: ${percent} % free (${megabytes} MB)`,
        `磁盘即将写满：剩余 ${percent}%（${megabytes} MB）`,
      ),
      text(
        'Free some room or enlarge the disk. When it is full, events are answered with 503 and senders keep them; nothing acknowledged is lost.',
        '释放空间或扩容。写满后事件会返回 503，由发送方保留；已确认的数据不会丢失。',
      ),
      '/settings/operations',
    ),
  clock_jumped: (_, { seconds }) =>
    tell(
      text(
        `The server’s clock was set ${Number(seconds) > 0 ? 'forward' : 'back'} by ${Math.abs(Number(seconds))} s`,
        `服务器时钟被${Number(seconds) > 0 ? '调快' : '调慢'}了 ${Math.abs(Number(seconds))} 秒`,
      ),
      text(
        'Have it set by NTP. Messages planned for a time that was skipped go out now, within quiet hours and caps.',
        '请使用 NTP 校时。被跳过时间段内计划的消息会立即发出，仍遵守静默时段和频次限制。',
      ),
    ),
  telling_failed: (subject, { code }) =>
    tell(
      subject === 'mail'
        ? text(`Alerts cannot be sent by e-mail (${code})`, `告警邮件无法发送（${code}）`)
        : text(`Alerts cannot be sent to your address (${code})`, `告警无法发送到指定地址（${code}）`),
      text(
        'Until it works, alerts stand on this page only. Look at who is told and at the mail server, and send a test.',
        '恢复之前，告警只显示在此页面。请检查通知对象和邮件服务器，并发送测试邮件。',
      ),
      '/settings/alerts?show=telling',
    ),
  sign_ins_failing: (_, { count }) =>
    tell(
      text(`${count} sign-ins failed within a quarter of an hour`, `一刻钟内有 ${count} 次登录失败`),
      text(
        'Somebody may be guessing passwords. Have everybody use a second factor, and let only known networks reach the admin.',
        '可能有人在猜测密码。请全员启用双重验证，并限制可访问后台的网络。',
      ),
      '/settings/people',
    ),
}

/** What an alert says, in both languages. */
export function textOf(kind: string, subject: string, details: Details): AlertText {
  const found = TELL[kind as AlertKind] as Tell | undefined
  // Of a rule that there was once.
  return found ? found(subject, details) : tell(text(kind, kind), LOG)
}
